import Linux

/// What lies on the partition, found out by reading only.
struct Probe {
    enum Finding: Equatable {
        /// Never used, or wholly discarded: no signature, nothing but zeros or 0xff where it was sampled, and no backup
        /// superblock at any candidate offset (RULES.md F13).
        case blank
        /// An intact primary superblock and a group descriptor table to go with it.
        case ext4
        /// An ext4 filesystem whose primary superblock or group descriptors are damaged.
        case damaged
        /// An f2fs with one superblock at least.
        case f2fs(F2FS)
        /// A filesystem or partition table of another kind, by libblkid's name.
        case foreign(String)
        /// Bytes, but nothing known by any name.
        case unknown
    }

    var finding: Finding
    /// The primary superblock, if its magic is there; maybe not intact.
    var superblock: Superblock?
    /// Where sound backups are; only looked for when the primary is not to be relied on.
    var backups: [SuperblockPlace] = []
    /// The first read error: as long as there is one nothing is formatted and nothing is repaired by force (RULES.md
    /// F7).
    var readError: LinuxError?

    /// Something of it that its own fields or checksum prove to be whole, and that a check can begin from.
    var hasIntactSuperblock: Bool {
        if case .f2fs(let found) = finding { return found.checkpoint != nil }
        return superblock?.isIntact == true || !backups.isEmpty
    }
    /// Whether it was left without being unmounted, with errors recorded, or damaged.
    var isUnclean: Bool {
        switch finding {
        case .ext4: superblock?.isUnclean == true
        case .f2fs(let found): !found.isClean
        case .damaged: true
        default: false
        }
    }
    var isClean: Bool {
        switch finding {
        case .ext4: superblock?.isClean == true
        case .f2fs(let found): found.isClean
        default: false
        }
    }
    /// Something was on it that an appliance could have worked with.
    var wasUsed: Bool {
        switch finding {
        case .ext4, .f2fs, .damaged: true
        case .blank, .foreign, .unknown: false
        }
    }
    /// What it is mounted as.
    var kind: FilesystemKind { if case .f2fs = finding { .f2fs } else { .ext4 } }

    init(
        finding: Finding, superblock: Superblock? = nil, backups: [SuperblockPlace] = [], readError: LinuxError? = nil
    ) {
        self.finding = finding
        self.superblock = superblock
        self.backups = backups
        self.readError = readError
    }

    /// Probes a device; an intact filesystem costs two reads.
    init(_ device: borrowing some BlockReading & ~Copyable) {
        self.init(finding: .unknown)
        do throws(LinuxError) {
            superblock = try Superblock.read(device, at: Superblock.offset)
        } catch {
            readError = error
        }
        if let superblock, superblock.isIntact {
            if superblock.isExternalJournal {
                finding = .foreign("external ext4 journal")
                return
            }
            // An intact superblock outweighs what libblkid may see of an older or a nested filesystem.
            do throws(LinuxError) {
                if try !GroupDescriptors.areDamaged(of: superblock, on: device) {
                    finding = .ext4
                    return
                }
            } catch {
                readError = error
            }
            finding = .damaged
            findBackups(device)
            return
        }
        var signature = Signature.none
        do throws(LinuxError) {
            signature = try device.signature()
        } catch {
            readError = readError ?? error
        }
        findBackups(device)
        switch signature {
        case .one("ext2"), .one("ext3"), .one("ext4"), .one("ext4dev"): finding = .damaged
        case .one("f2fs"): finding = findF2FS(device) ?? .foreign("f2fs")
        case .one(let name): finding = .foreign(name)
        case .ambivalent: finding = .foreign("several filesystems' signatures")
        case .none:
            // libblkid looks at the first of its two superblocks only.
            if let found = findF2FS(device) {
                finding = found
                return
            }
            let traces = superblock != nil || !backups.isEmpty || hasBackupMagic(device)
            let uniform = !traces && isUniform(device)
            // What gave no answer may be anything (RULES.md F7).
            finding = traces ? .damaged : uniform && readError == nil ? .blank : .unknown
        }
    }

    private mutating func findF2FS(_ device: borrowing some BlockReading & ~Copyable) -> Finding? {
        do throws(LinuxError) {
            return try F2FS.read(device).map { .f2fs($0) }
        } catch {
            readError = readError ?? error
            return nil
        }
    }

    /// Backups that are whole, agree with where they lie, and have a usable descriptor table behind them.
    private mutating func findBackups(_ device: borrowing some BlockReading & ~Copyable) {
        for place in SuperblockPlace.backups(on: device.size, like: superblock) where backups.count < 4 {
            do throws(LinuxError) {
                guard let copy = try Superblock.read(device, at: place.offset), copy.isBackup(at: place), copy.size <= device.size,
                    superblock?.isIntact != true || copy.uuid == superblock?.uuid,
                    try GroupDescriptors.areSound(of: copy, at: place.block, on: device)
                else { continue }
                backups.append(place)
            } catch {
                readError = readError ?? error
            }
        }
    }

    /// Any backup's magic, whole or not.
    private mutating func hasBackupMagic(_ device: borrowing some BlockReading & ~Copyable) -> Bool {
        for place in SuperblockPlace.backups(on: device.size) {
            do throws(LinuxError) {
                if Superblock.hasMagic(try device.bytes(at: place.offset, count: Superblock.byteCount)) { return true }
            } catch {
                readError = readError ?? error
            }
        }
        return false
    }

    private mutating func isUniform(_ device: borrowing some BlockReading & ~Copyable) -> Bool {
        let samples = Samples(device)
        readError = readError ?? samples.readError
        return samples.uniform
    }
}
