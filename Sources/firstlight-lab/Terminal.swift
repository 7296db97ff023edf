#if Lab
import Foundation

/// The terminal that desk runs on, in raw mode and on its alternate screen until `restore()`.
///
/// Plain ECMA-48 controls, which every terminal of the last thirty years knows.
final class Terminal: @unchecked Sendable {
    // Written once, before any other thread can know of it.
    private let cooked: termios
    private let lock = NSLock()
    private var isRestored = false
    private var shown: [String] = []
    private var shownSize = (columns: 0, rows: 0)

    /// - Throws: `Deviation` where standard input and output are no terminal.
    init() throws {
        var attributes = termios()
        guard isatty(1) == 1, tcgetattr(0, &attributes) == 0 else {
            throw Deviation("desk needs a terminal; firstlight-lab story does without")
        }
        cooked = attributes
        cfmakeraw(&attributes)
        tcsetattr(0, TCSAFLUSH, &attributes)
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    /// Gives the terminal back as it was. May be called twice, and from any thread.
    func restore() {
        lock.withLock {
            if isRestored { return }
            isRestored = true
            write("\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l")
            var attributes = cooked
            tcsetattr(0, TCSAFLUSH, &attributes)
        }
    }

    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// The next key, nil where none comes within the time; a terminal that is gone sends Ctrl-C.
    func key(milliseconds: Int32) -> Character? {
        var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard poll(&input, 1, milliseconds) > 0 else { return nil }
        var byte: UInt8 = 0
        return read(0, &byte, 1) == 1 ? Character(Unicode.Scalar(byte)) : "\u{3}"
    }

    /// Shows these lines from the top; writes only those that changed, so that a slow line keeps up with a blinking light.
    func show(_ lines: [String]) {
        let size = size
        var output = ""
        if size != shownSize {
            (shown, shownSize) = ([], size)
            output += "\u{1B}[2J"
        }
        for (row, line) in lines.prefix(size.rows).enumerated() where row >= shown.count || shown[row] != line {
            output += "\u{1B}[\(row + 1);1H\(line)\u{1B}[0m\u{1B}[K"
        }
        shown = lines
        if output.isEmpty { return }
        lock.withLock { if !isRestored { write(output) } }
    }

    private func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return }
            bytes = bytes.dropFirst(max(count, 0))
        }
    }
}
#endif
