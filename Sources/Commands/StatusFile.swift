internal import BootSequence
internal import Linux

/// The daemon's status.json, where the configuration says it is.
struct StatusFile {
    let path: String

    init(_ options: Options) {
        var reader = ConfigurationReader()
        reader.read(options.configuration)
        path = "\(reader.configuration.statusDirectory)/status.json"
    }

    /// Its text; nil with a message on standard error when it cannot be read.
    func read() -> String? {
        do throws(LinuxError) {
            return try FileSystem.readText(path, limit: 1 << 20)
        } catch {
            standardErrorLine("firstlightctl: \(error.text); is firstlightd running?")
            return nil
        }
    }
}
