import Linux

/// Reads a program's output without keeping it: `e2fsck -y` of a badly damaged filesystem prints megabytes.
struct OutputLines {
    private(set) var last = ""
    /// The first line that the program signs: `e2fsck: Bad magic number in super-block while trying to open /dev/vda1`;
    /// what follows it is advice.
    private(set) var complaint = ""
    private(set) var readError = false
    private var line: [UInt8] = []
    private let program: String

    init(program: String) { self.program = program }

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if byte == 0x0A || byte == 0x0D {
                end()
            } else if line.count < 500 {
                line.append(byte)
            }
        }
    }

    mutating func end() {
        let text = Text.trim(String(decoding: line, as: UTF8.self))
        line.removeAll(keepingCapacity: true)
        if text.isEmpty { return }
        last = text
        if complaint.isEmpty && Text.hasPrefix(text, "\(program): ") { complaint = text }
        // e2fsck's handler: `Error reading block 12 (Input/output error) while …`; its opener: `Input/output error
        // while …`.
        // `(Invalid argument)` is a block beyond the device's end, which damaged descriptors name: nothing was asked of the device.
        let isOutside = Text.contains(text, "(Invalid argument)")
        if Text.contains(text, "Error reading block") && !isOutside || Text.contains(text, "Input/output error") { readError = true }
    }
}
