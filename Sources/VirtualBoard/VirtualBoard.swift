#if Lab
#endif
