#if Lab
/// A kind of damage to a database file, each with one outcome: the same file and kind give the same bytes.
public enum Damage: Hashable, Sendable {
    // What is in the file's place.
    case missing, directory, fifo, link, danglingLink
    // Nothing of it is left.
    case zeroLength, oneByte, short, noise512, encrypted, json
    /// The magic's second half is noise.
    case tornMagic
    /// One bit of the magic.
    case magicBit
    case header(Field, Fill)
    /// Page 1 up to this byte; then noise.
    case tornFirstPage(Int)
    case page(Role, PageFault)
    case swapped(Role, Role)
    /// The page's first child is the page itself, or lies outside the file.
    case childLoop(Role), childOutside(Role)
    case bitFlips(Int, seed: UInt64)
    case truncated(Cut)
    case extended(Int, Fill)
    case freelist(ListFault)
    case overflow(ListFault)
    case schema(SchemaFault)
    case peaceful(Oddity)

    /// The fields of the header (fileformat2.html, 1.3).
    public enum Field: String, CaseIterable, Sendable {
        case pageSize, writeVersion, readVersion, reservedSpace, payloadFraction, leafFraction, changeCounter, pageCount
        case freelistTrunk, freelistCount, schemaCookie, schemaFormat, cacheSize, largestRoot, encoding, userVersion
        case incrementalVacuum, applicationID, expansion, validFor, libraryVersion

        var place: Range<Int> {
            switch self {
            case .pageSize: 16..<18
            case .writeVersion: 18..<19
            case .readVersion: 19..<20
            case .reservedSpace: 20..<21
            case .payloadFraction: 21..<22
            case .leafFraction: 23..<24
            case .changeCounter: 24..<28
            case .pageCount: 28..<32
            case .freelistTrunk: 32..<36
            case .freelistCount: 36..<40
            case .schemaCookie: 40..<44
            case .schemaFormat: 44..<48
            case .cacheSize: 48..<52
            case .largestRoot: 52..<56
            case .encoding: 56..<60
            case .userVersion: 60..<64
            case .incrementalVacuum: 64..<68
            case .applicationID: 68..<72
            case .expansion: 72..<92
            case .validFor: 92..<96
            case .libraryVersion: 96..<100
            }
        }
    }

    public enum Fill: String, CaseIterable, Sendable { case zeros, ones, noise }

    /// What a page is for; the first or the middle one of its kind is taken.
    public enum Role: String, CaseIterable, Sendable {
        case readings = "leaf readings"
        case readingsRoot = "internal readings"
        case index = "leaf readings_by_sensor"
        case indexRoot = "internal readings_by_sensor"
        case settings = "leaf settings"
        case files = "leaf files"
        case blob = "overflow files"
        case history = "leaf schema_migrations"
        case ownHistory = "leaf firstlight_migrations"
        case uniqueIndex = "leaf sqlite_autoindex_sensors_1"
        case free
        case fullText = "leaf notes_data"
        case pointerMap = "pointer-map"

        var word: String {
            switch self {
            case .readings: "readings"
            case .readingsRoot: "readings-root"
            case .index: "index"
            case .indexRoot: "index-root"
            case .settings: "settings"
            case .files: "files"
            case .blob: "blob"
            case .history: "history"
            case .ownHistory: "own-history"
            case .uniqueIndex: "unique-index"
            case .free: "free"
            case .fullText: "full-text"
            case .pointerMap: "pointer-map"
            }
        }
    }

    public enum PageFault: String, CaseIterable, Sendable {
        case zeros, noise
        /// Its second half is that of another moment: zeros from sector to sector.
        case torn
        /// The bytes of a page of another table.
        case strangers
        /// Its number of cells is far too large.
        case cells
    }

    public enum Cut: String, CaseIterable, Sendable { case lastByte, lastPage, midPage, half, twoPages, onePage }

    public enum ListFault: String, CaseIterable, Sendable { case loop, outside, live, count }

    public enum SchemaFault: String, CaseIterable, Sendable { case table, trigger, view, index, rootZero, rootOutside, rootShared, rowGone }

    /// No damage at all: what an application or a newer SQLite may have written, and nobody may repair.
    public enum Oddity: String, CaseIterable, Sendable {
        case newerView, newerTable, newerTrigger, orphans, failingCheck, missingCollation, missingModule, jsonIndex
    }

    /// In a stable order.
    public static let all: [Damage] = {
        var all: [Damage] = [.missing, .directory, .fifo, .link, .danglingLink]
        all += [.zeroLength, .oneByte, .short, .noise512, .encrypted, .json, .tornMagic, .magicBit]
        for field in Field.allCases { all += Fill.allCases.map { .header(field, $0) } }
        all += [100, 512, 1024, 2048].map { .tornFirstPage($0) }
        for role in Role.allCases { all += PageFault.allCases.map { .page(role, $0) } }
        all += [.swapped(.readings, .settings), .swapped(.readings, .index), .swapped(.readingsRoot, .blob), .swapped(.history, .files)]
        all += [.childLoop(.readingsRoot), .childOutside(.readingsRoot), .childLoop(.indexRoot), .childOutside(.indexRoot)]
        for count in [1, 8, 64] { all += (1...10).map { .bitFlips(count, seed: $0) } }
        all += Cut.allCases.map { .truncated($0) }
        all += [.extended(4096, .zeros), .extended(4096, .noise), .extended(100, .noise), .extended(20480, .ones)]
        all += ListFault.allCases.map { .freelist($0) }
        all += [.loop, .outside, .live].map { .overflow($0) }
        all += SchemaFault.allCases.map { .schema($0) }
        all += Oddity.allCases.map { .peaceful($0) }
        return all
    }()

    /// `page.readings-root.torn`
    public var name: String {
        switch self {
        case .missing: "missing"
        case .directory: "directory"
        case .fifo: "fifo"
        case .link: "link"
        case .danglingLink: "dangling-link"
        case .zeroLength: "zero-length"
        case .oneByte: "one-byte"
        case .short: "short"
        case .noise512: "noise-512"
        case .encrypted: "encrypted"
        case .json: "json"
        case .tornMagic: "torn-magic"
        case .magicBit: "magic-bit"
        case .header(let field, let fill): "header.\(field.rawValue).\(fill.rawValue)"
        case .tornFirstPage(let byte): "torn-first-page.\(byte)"
        case .page(let role, let fault): "page.\(role.word).\(fault.rawValue)"
        case .swapped(let one, let other): "swapped.\(one.word).\(other.word)"
        case .childLoop(let role): "child-loop.\(role.word)"
        case .childOutside(let role): "child-outside.\(role.word)"
        case .bitFlips(let count, let seed): "bit-flips.\(count).\(seed)"
        case .truncated(let cut): "truncated.\(cut.rawValue)"
        case .extended(let bytes, let fill): "extended.\(bytes).\(fill.rawValue)"
        case .freelist(let fault): "freelist.\(fault.rawValue)"
        case .overflow(let fault): "overflow.\(fault.rawValue)"
        case .schema(let fault): "schema.\(fault.rawValue)"
        case .peaceful(let oddity): "peaceful.\(oddity.rawValue)"
        }
    }

    /// The database's path no longer leads to a file of its own.
    var replacesThePlace: Bool {
        switch self {
        case .directory, .fifo, .link, .danglingLink: true
        default: false
        }
    }
}
#endif
