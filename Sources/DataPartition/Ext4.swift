/// How ext4's own programs are called.
enum Ext4 {
    static let check = ["/sbin/e2fsck", "/usr/sbin/e2fsck"]
    static let make = ["/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4"]

    /// The same on every device: mkfs does not wait for entropy that a first boot does not have (RULES.md F9).
    static let uuid = "6669727a-746c-6967-6874-000000000001"
    /// What e2fsck 1.46 knows too: an A/B rollback to an older image must find a filesystem it can check (RULES.md
    /// F12).
    static let features =
        "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
        + "huge_file,dir_nlink,extra_isize,metadata_csum"

    /// The arguments that make a filesystem on `path`, up to `end`, in bytes.
    static func makeArguments(_ path: String, end: Int64, for spec: DeviceSpec) -> [String] {
        let blocks = end / 4096
        // Below 128 MiB the default is a single group, without any backup superblock (RULES.md F4).
        let geometry = blocks * 4096 < 128 << 20 ? ["-g", "4096"] : []
        // From 1 GiB up the tables would be hundreds of MiB (RULES.md F15); below, writing them now avoids doing it
        // later (F9).
        let lazy = blocks * 4096 >= 1 << 30 ? "1" : "0"
        let (uuid, label) = names(for: spec)
        // hash_seed: mke2fs would wait for the kernel's entropy to make one up, as it would for a UUID (F9, B1).
        // nodiscard: a factory reset has discarded already, and a discard without a sign of movement looks like a hang.
        return ["-F", "-q", "-O", features, "-b", "4096"] + geometry
            + [
                "-I", "256", "-m", "0", "-U", uuid, "-L", label, "-E",
                "hash_seed=\(uuid),nodiscard,lazy_itable_init=\(lazy),lazy_journal_init=\(lazy)", path, "\(blocks)",
            ]
    }

    /// What a filesystem on it is called: what it is found by must be there again.
    static func names(for spec: DeviceSpec) -> (uuid: String, label: String) {
        switch spec {
        case .uuid(let value): (value, "data")
        case .label(let value): (uuid, value)
        default: (uuid, "data")
        }
    }

    /// What a mount is asked for besides the flags (RULES.md F8). The kernel refuses `data_err` where there is no
    /// journal.
    static func mountOptions(hasJournal: Bool) -> String {
        hasJournal ? "errors=remount-ro,data_err=abort" : "errors=remount-ro"
    }
}
