// DataPartition
