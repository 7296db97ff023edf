#if Lab
FirstlightLab.main()
#else
print("firstlight-lab was built without the trait Lab: swift run --traits GPIO,Lab firstlight-lab")
#endif
