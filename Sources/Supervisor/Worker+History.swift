internal import BootSequence
internal import DataPartition
internal import Linux

extension Worker {
    /// Behind READY: adds this boot to the history on the partition, unless the last boot in it was the same.
    ///
    /// - Parameter entry: `BootReport.historyEntry`, as text.
    func addToHistory(_ entry: String) -> BootMachine.Event {
        let file = HistoryFile(configuration.data)
        do throws(LinuxError) {
            // What is damaged there is no reason to lose what comes.
            var history = BootHistory(text: try file.read(limit: BootHistory.longest) ?? "")
            if let entry = JSON(parsing: entry), history.add(entry) { try file.replace(with: history.text) }
            return .kept(snapshot: nil, warning: nil)
        } catch {
            return .kept(snapshot: nil, warning: "this boot is missing in the history of boots: \(error.text)")
        }
    }
}
