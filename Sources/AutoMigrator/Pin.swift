internal import Linux

/// The database of a newer image, kept in quarantine while an older image lives with a snapshot from before: the file `pin`.
///
/// When the newer image returns it comes back, but only if the live database still is what the older image was given; otherwise both have rows
/// the other lacks, and a person decides.
struct Pin {
    /// The directory it lies in.
    let quarantine: String
    /// What the pinned file is.
    let seal: Seal
    /// What the live database was when the older image was ready with it.
    var live: Seal

    /// Nil where there is none, or where what it names is gone.
    /// - Throws: where that cannot be known: without the pin the newer database would never come back.
    static func read(_ state: RepositoryState) throws(LinuxError) -> Pin? {
        guard try FileSystem.isThere(state.pinPath), let fields = CheckedText.fields(try FileSystem.readText(state.pinPath)),
            let quarantine = fields["quarantine"].map({ state.restored($0) }), let seal = Seal(text: fields["seal"] ?? ""),
            let live = Seal(text: fields["live"] ?? ""),
            try FileSystem.isThere("\(quarantine)/\(Text.name(of: state.database))")
        else { return nil }
        return Pin(quarantine: quarantine, seal: seal, live: live)
    }

    /// The directory that must stay, empty for none; nil when that cannot be known, so that nothing may go.
    static func quarantine(_ state: RepositoryState) -> String? {
        do throws(LinuxError) {
            guard try FileSystem.isThere(state.pinPath) else { return "" }
            return CheckedText.fields(try FileSystem.readText(state.pinPath))?["quarantine"].map { state.restored($0) } ?? ""
        } catch {
            return nil
        }
    }

    func file(_ state: RepositoryState) -> String { "\(quarantine)/\(Text.name(of: state.database))" }

    /// Durable when it returns.
    func write(_ state: RepositoryState) throws(LinuxError) {
        let text = CheckedText.text([("quarantine", state.stored(quarantine)), ("seal", seal.text), ("live", live.text)])
        try FileSystem.replace(state.pinPath, with: text, durable: true, permissions: 0o600)
    }

    static func remove(_ state: RepositoryState) { try? FileSystem.remove(state.pinPath) }
}
