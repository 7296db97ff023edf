/// One thing tried on the way to a mounted partition; the words are those of status.json's `data.actions`.
public enum Rung: Sendable, Equatable {
    /// The device was looked for.
    case find
    /// What an earlier boot had begun (a wipe, a format) was finished.
    case resume
    /// The superblock says clean: no check is needed, and none is run, since even `e2fsck -p` of a clean filesystem
    /// writes.
    case clean
    /// `e2fsck -p`
    case preen
    /// `e2fsck -f -y`
    case repair
    /// `e2fsck -f -y -b BLOCK`
    case backupSuperblock
    case format
    /// What a read-only mount still gave out was carried over a format.
    case salvage
    case wipe
    /// The partition to its disk's end, or the filesystem to its partition's.
    case grow
    case mount
    /// What a repair left in lost+found is put back into its place.
    case lostAndFound
    /// What a repair by force took away, and had been read before it, is put back.
    case rescue
    /// A file created, fsynced, read back and removed.
    case proof
    case tmpfs

    public var text: String {
        switch self {
        case .find: "find"
        case .resume: "resume"
        case .clean: "clean"
        case .preen: "preen"
        case .repair: "repair"
        case .backupSuperblock: "backup-superblock"
        case .format: "format"
        case .salvage: "salvage"
        case .wipe: "wipe"
        case .grow: "grow"
        case .mount: "mount"
        case .lostAndFound: "lost-and-found"
        case .rescue: "rescue"
        case .proof: "proof"
        case .tmpfs: "tmpfs"
        }
    }

    static let all: [Rung] = [
        .find, .resume, .clean, .preen, .repair, .backupSuperblock, .format, .salvage, .wipe, .grow, .mount, .lostAndFound, .rescue, .proof, .tmpfs,
    ]

    /// Reads the word again: a worker's report comes as text.
    public init?(text: String) {
        guard let rung = Rung.all.first(where: { $0.text == text }) else { return nil }
        self = rung
    }
}
