// BootSequence
