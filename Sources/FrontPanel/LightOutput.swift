internal import CGPIO
internal import Linux

/// The LED itself.
public final class LightOutput {
    private enum Backend {
        case none
        case gpio(OpaquePointer)
        /// A file that takes brightness, and the text for fully lit.
        case led(path: String, full: String)
    }

    private let backend: Backend
    /// As the configuration names it, `none` where there is no LED.
    public let text: String
    /// What was set last, so that only edges cost a system call.
    private var lit: Bool

    private init(_ backend: Backend, text: String, lit: Bool) {
        self.backend = backend
        self.text = text
        self.lit = lit
    }

    deinit {
        if case .gpio(let line) = backend { cgpio_close(line) }
    }

    /// No LED: `set` does nothing.
    public static var none: LightOutput { LightOutput(.none, text: "none", lit: false) }

    /// Takes the line and lights it, or not, in the same request: the first edge costs nothing more.
    public static func open(
        _ line: LineSpec, activeLow: Bool, openDrain: Bool, lit: Bool
    ) throws(FrontPanelError) -> LightOutput {
        switch line {
        case .none:
            return .none
        case .gpio(let name):
            var opened: OpaquePointer?
            let message = MessageBuffer()
            let code = cgpio_open_output(
                name, activeLow ? 1 : 0, openDrain ? 1 : 0, lit ? 1 : 0, &opened, message.start, MessageBuffer.size)
            guard code == 0, let opened else {
                throw FrontPanelError(text: "[light] line: \(message.text); the boot goes on without a LED", code: code)
            }
            return LightOutput(.gpio(opened), text: line.text, lit: lit)
        case .led(let name):
            let directory = "/sys/class/leds/\(name)"
            do throws(LinuxError) {
                // A trigger of the kernel's would go on moving it.
                try write("none", to: "\(directory)/trigger")
                let full = Text.trim(try FileSystem.readText("\(directory)/max_brightness"))
                let output = LightOutput(.led(path: "\(directory)/brightness", full: full), text: line.text, lit: !lit)
                output.set(lit)
                return output
            } catch {
                throw FrontPanelError(
                    text: "[light] line: \(line.text): \(error.text); the boot goes on without a LED", code: error.code)
            }
        }
    }

    /// Lights or darkens it. An error has nobody to be told to: the LED is how one tells.
    public func set(_ lit: Bool) {
        if lit == self.lit { return }
        self.lit = lit
        switch backend {
        case .none: break
        case .gpio(let line): _ = cgpio_set(line, lit ? 1 : 0)
        case .led(let path, let full): try? LightOutput.write(lit ? full : "0", to: path)
        }
    }

    private static func write(_ text: String, to path: String) throws(LinuxError) {
        let file = try FileDescriptor.open(path, .readWrite)
        try file.write(text)
    }
}

/// Room for a message from C.
final class MessageBuffer {
    static let size = 256
    let start = UnsafeMutablePointer<CChar>.allocate(capacity: MessageBuffer.size)

    init() { start.initialize(repeating: 0, count: MessageBuffer.size) }
    deinit { start.deallocate() }

    var text: String { String(cString: start) }
}
