/// The board's memory.
public enum Memory {
    /// In bytes, what the kernel itself keeps left out; nil where /proc does not say.
    public static var total: Int64? {
        for line in Text.lines((try? FileSystem.readText("/proc/meminfo")) ?? "") {
            guard let rest = Text.dropPrefix(line, "MemTotal:") else { continue }
            return Text.words(rest).first.flatMap { Text.number($0) }.map { $0 << 10 }
        }
        return nil
    }
}
