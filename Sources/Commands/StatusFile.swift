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

    /// Its text and what it says.
    func read() throws(CommandError) -> (text: String, status: JSON) {
        let text: String
        do throws(LinuxError) {
            text = try FileSystem.readText(path, limit: 1 << 20)
        } catch {
            throw .failed("\(error.text); is firstlightd running?")
        }
        guard let status = JSON(parsing: text) else { throw .failed("\(path) is not JSON") }
        return (text, status)
    }
}
