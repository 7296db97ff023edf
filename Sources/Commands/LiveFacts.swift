internal import BootSequence
internal import DataPartition
internal import Linux

extension StatusPage.Now {
    /// Asks the kernel, and touches no partition: one that hangs would hang whoever reads from it.
    static func look(_ status: JSON) -> StatusPage.Now {
        var now = StatusPage.Now(uptime: Clock.sinceBootMilliseconds)
        guard let data = status["data"], data["volatile"]?.boolValue != true, let mount = data["mount"]?.stringValue else { return now }
        now.flash = FlashWear.read(data["device"]?.stringValue, mount: mount)
        return now
    }
}

extension StatusPage {
    /// The page's last line, which is read from the partition; empty where there is none to read from.
    static func boots(_ status: JSON) -> String {
        guard let data = status["data"], data["volatile"]?.boolValue != true, data["problem"] == nil, status["state"]?.stringValue == "ready",
            let mount = data["mount"]?.stringValue
        else { return "" }
        do throws(LinuxError) {
            return boots(BootHistory(text: try HistoryFile(DataSettings(device: .none, mount: mount)).read(limit: BootHistory.longest) ?? ""))
        } catch {
            return line("boots", "their history cannot be read: \(error.text)")
        }
    }
}
