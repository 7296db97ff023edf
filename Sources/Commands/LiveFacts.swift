internal import BootSequence
internal import DataPartition
internal import Linux

extension StatusPage.Now {
    /// Asks the kernel, and reads the history where the partition still answers: one that has failed may hang whoever reads from it.
    /// - Parameters:
    ///   - status: status.json.
    ///   - history: false reads nothing from the partition.
    static func look(_ status: JSON, history: Bool = true) -> StatusPage.Now {
        var now = StatusPage.Now(uptime: Clock.sinceBootMilliseconds)
        guard let data = status["data"], data["volatile"]?.boolValue != true, let mount = data["mount"]?.stringValue else { return now }
        now.flash = FlashWear.read(data["device"]?.stringValue, mount: mount)
        if !history || data["problem"] != nil || status["state"]?.stringValue != "ready" { return now }
        do throws(LinuxError) {
            now.history = BootHistory(text: try HistoryFile(DataSettings(device: .none, mount: mount)).read(limit: BootHistory.longest) ?? "")
        } catch {
            now.historyProblem = error.text
        }
        return now
    }
}
