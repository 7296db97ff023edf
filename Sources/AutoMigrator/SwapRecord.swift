internal import Linux

/// The files that a swap is on record in: `intent`, `served`, `untold`. Each is written whole or not at all.
extension Swap {
    /// Durable when it returns.
    func write(to state: RepositoryState) throws(LinuxError) { try write(to: state.intentPath, state) }

    func write(to path: String, _ state: RepositoryState) throws(LinuxError) {
        let text = CheckedText.text([
            ("operation", operation.text), ("sequence", "\(sequence)"), ("inodes", inodes.map { "\($0)" }.joined(separator: ",")),
            ("replacement", "\(replacement)"), ("source", state.stored(source)), ("seal", seal?.text ?? ""), ("left", left ?? ""),
        ] + (told?.fields ?? []))
        try FileSystem.replace(path, with: text, durable: true, permissions: 0o600)
    }

    /// Removes the intent, durably.
    static func clear(_ state: RepositoryState) throws(LinuxError) {
        try FileSystem.remove(state.intentPath)
        try FileSystem.syncDirectory(state.directory)
    }

    enum Found {
        case nothing
        case intent(Swap)
        /// Its checksum does not hold. It was written whole or not at all, so this is damage, not a cut.
        case unreadable
    }

    static func read(_ state: RepositoryState) throws(LinuxError) -> Found {
        try read(state.intentPath, state)
    }

    /// One that a boot ended without having finished.
    static func readServed(_ state: RepositoryState) throws(LinuxError) -> Found {
        try read(state.servedPath, state)
    }

    /// A swap that is done, and of which nobody has been told.
    static func readUntold(_ state: RepositoryState) throws(LinuxError) -> Swap? {
        guard case .intent(let swap) = try read(state.untoldPath, state) else { return nil }
        return swap
    }

    /// Of what nobody has been told of only this is true any more; nil where nothing is. Durable when it returns.
    static func retell(_ lost: String?, _ state: RepositoryState) throws(LinuxError) {
        guard var swap = try readUntold(state), swap.told?.lost != lost else { return }
        swap.told?.lost = lost
        if lost != nil { return try swap.write(to: state.untoldPath, state) }
        try FileSystem.remove(state.untoldPath)
        try FileSystem.syncDirectory(state.directory)
    }

    static func isUntoldDamaged(_ state: RepositoryState) throws(LinuxError) -> Bool {
        if case .unreadable = try read(state.untoldPath, state) { true } else { false }
    }

    private static func read(_ path: String, _ state: RepositoryState) throws(LinuxError) -> Found {
        guard try FileSystem.isThere(path) else { return .nothing }
        guard let values = CheckedText.fields(try FileSystem.readText(path)),
            let operation = Operation(text: values["operation"] ?? ""), let sequence = Text.number(values["sequence"] ?? "")
        else { return .unreadable }
        let inodes = Text.split(values["inodes"] ?? "", 0x2C).map { UInt64(Text.number($0) ?? 0) }
        guard inodes.count == RepositoryState.suffixes.count else { return .unreadable }
        var swap = Swap(
            operation: operation, sequence: sequence, inodes: inodes, replacement: UInt64(Text.number(values["replacement"] ?? "") ?? 0),
            source: state.restored(values["source"] ?? ""), seal: Seal(text: values["seal"] ?? ""), told: Told(values))
        swap.left = values["left"].flatMap { $0.utf8.isEmpty ? nil : $0 }
        return .intent(swap)
    }

    /// Puts on record what nobody has been told of. Durable when it returns.
    func tell(_ told: Told, _ state: RepositoryState) throws(LinuxError) {
        var swap = self
        swap.told = told.joined(with: try Swap.readUntold(state)?.told)
        try swap.write(to: state.untoldPath, state)
    }
}
