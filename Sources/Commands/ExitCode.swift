internal import AutoMigrator

/// What firstlightctl's exit says to a script.
enum ExitCode {
    /// At the wanted schema.
    static let wanted: Int32 = 0
    /// No database could be provided.
    static let none: Int32 = 1
    static let usage: Int32 = 2
    /// Usable, but not at the wanted schema.
    static let otherSchema: Int32 = 3
    /// At the wanted schema, with data lost.
    static let dataLost: Int32 = 4
    /// In RAM.
    static let volatile: Int32 = 5

    static func of(_ outcome: Outcome, schemaIsWanted: Bool, lost: Bool) -> Int32 {
        switch outcome {
        case .current, .migrated: wanted
        case .downgraded: lost ? dataLost : wanted
        case .ahead, .skipped: otherSchema
        case .restored: !schemaIsWanted ? otherSchema : lost ? dataLost : wanted
        case .rebuilt: dataLost
        case .volatile: volatile
        case .failed: none
        }
    }

    static func of(_ report: RepositoryReport) -> Int32 {
        of(report.outcome, schemaIsWanted: report.schema == report.wanted, lost: report.lost != nil)
    }
}
