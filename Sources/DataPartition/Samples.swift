import Linux

/// What a device answers where it is sampled: the first MiB, the last before the tail, the tail, and 64 places between.
struct Samples {
    /// Each range held nothing but zeros or nothing but 0xff; the tail, which is ours, does not count.
    private(set) var uniform = true
    /// The first of them.
    private(set) var readError: LinuxError?

    init(_ device: borrowing some BlockReading & ~Copyable) {
        let end = Tail.start(on: device.size)
        read(device, from: 0, to: min(1 << 20, end))
        for i in 1..<Int64(64) { read(device, from: end / 64 * i / 4096 * 4096, to: end / 64 * i / 4096 * 4096 + 4096) }
        read(device, from: max(0, end - (1 << 20)), to: end)
        read(device, from: end, to: device.size, counts: false)
    }

    /// A piece at a time, as boards with little memory like it.
    private mutating func read(
        _ device: borrowing some BlockReading & ~Copyable, from start: Int64, to end: Int64, counts: Bool = true
    ) {
        var place = start
        while place < min(end, device.size) {
            let count = min(65536, min(end, device.size) - place)
            do throws(LinuxError) {
                let bytes = try device.bytes(at: place, count: Int(count))
                let first = bytes[0]
                if counts && !((first == 0 || first == 0xFF) && bytes.allSatisfy { $0 == first }) { uniform = false }
            } catch {
                // The rest is read all the same: no answer is no proof of emptiness.
                readError = readError ?? error
                uniform = false
            }
            place += count
        }
    }
}
