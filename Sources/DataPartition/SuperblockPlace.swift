internal import Linux

/// Where a copy of a superblock may lie.
struct SuperblockPlace: Equatable {
    /// Block number, as `e2fsck -b` wants it.
    let block: Int64
    /// In bytes, as `e2fsck -B` wants it.
    let blockSize: Int64
    let group: Int64

    var offset: Int64 { block * blockSize }

    /// Every place where a backup may lie on a device of that size: the default geometry for each usual block size,
    /// the one we make below 128 MiB (`-b 4096 -g 4096`, RULES.md F4), and that of `like`, in the groups that
    /// sparse_super keeps copies in.
    static func backups(on size: Int64, like superblock: Superblock? = nil) -> [SuperblockPlace] {
        var geometries: [(blockSize: Int64, perGroup: Int64)] = [
            (4096, 4096), (4096, 32768), (1024, 8192), (2048, 16384),
        ]
        if let superblock, superblock.isIntact,
            !geometries.contains(where: { $0 == (superblock.blockSize, superblock.blocksPerGroup) })
        {
            geometries.append((superblock.blockSize, superblock.blocksPerGroup))
        }
        var places: [SuperblockPlace] = []
        for geometry in geometries {
            let first: Int64 = geometry.blockSize == 1024 ? 1 : 0
            for group in sparseGroups(below: size / (geometry.blockSize * geometry.perGroup) + 1) {
                let place = SuperblockPlace(
                    block: first + group * geometry.perGroup, blockSize: geometry.blockSize, group: group)
                // Two geometries may share a place: the same bytes under another block size.
                let known = places.contains { $0.offset == place.offset && $0.blockSize == place.blockSize }
                if !known && place.offset + Int64(Superblock.byteCount) <= size { places.append(place) }
            }
        }
        return places
    }

    /// 1 and the powers of 3, 5 and 7.
    static func sparseGroups(below limit: Int64) -> [Int64] {
        var groups: [Int64] = limit > 1 ? [1] : []
        for base: Int64 in [3, 5, 7] {
            var group = base
            while group < limit {
                groups.append(group)
                group *= base
            }
        }
        Text.sort(&groups) { $0 < $1 }
        return groups
    }
}
