#if Lab
/// What lies beside a damaged database.
public enum Sidecar: String, CaseIterable, Sendable {
    case none
    /// A journal and a WAL of no bytes.
    case empty
    case garbageJournal = "garbage-journal"
    case garbageWAL = "garbage-wal"
    /// The journal of a transaction of this database that was cut short, and the half-written database with it.
    case hotJournal = "hot-journal"
    /// The same, half of it.
    case cutJournal = "cut-journal"
    /// The same, its end naming a super-journal that does not exist: then the transaction had been committed.
    case superJournal = "super-journal"
    /// As PERSIST leaves it: the header zeroed, the pages still there.
    case spentJournal = "spent-journal"
    /// A hot journal of another unit's database.
    case strangersJournal = "strangers-journal"
    /// A WAL with committed transactions of this database that were never checkpointed.
    case fullWAL = "full-wal"
    /// The same, its last frame torn.
    case tornWAL = "torn-wal"
    /// The same, with garbage for a -shm.
    case garbageSHM = "garbage-shm"
    /// A full WAL of another unit's database.
    case strangersWAL = "strangers-wal"
    case journalDirectory = "journal-directory"
    case walDirectory = "wal-directory"

    /// A database in the other journal mode never had such a sidecar.
    func belongs(to journal: HostileScene.Journal) -> Bool {
        switch self {
        case .hotJournal, .cutJournal, .superJournal, .spentJournal: journal == .rollback
        case .fullWAL, .tornWAL, .garbageSHM: journal == .wal
        default: true
        }
    }

    /// Transactions of this database are committed only together with it: without it the rows are those of an earlier moment.
    var carriesRows: Bool {
        switch self {
        case .fullWAL, .tornWAL, .garbageSHM, .superJournal: true
        default: false
        }
    }

    /// SQLite has something to recover, so that the boot has a reason to look at the file's health.
    var isHot: Bool {
        switch self {
        case .hotJournal, .strangersJournal, .fullWAL, .tornWAL, .garbageSHM, .strangersWAL: true
        default: false
        }
    }
}
#endif
