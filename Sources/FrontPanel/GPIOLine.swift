internal import CGPIO
internal import Linux

/// A requested GPIO line that gives itself back. What the pin does then is its driver's choice.
struct GPIOLine: ~Copyable {
    let line: OpaquePointer

    deinit { cgpio_close(line) }

    /// Requests an output that begins lit, or not.
    static func output(
        _ name: String, activeLow: Bool, openDrain: Bool, lit: Bool, key: String
    ) throws(FrontPanelError) -> GPIOLine {
        try open("[light] \(key)", without: "this LED") { line, message, size in
            cgpio_open_output(name, activeLow ? 1 : 0, openDrain ? 1 : 0, lit ? 1 : 0, line, message, size)
        }
    }

    /// Requests an input with events on both edges.
    static func input(_ name: String, activeLow: Bool, bias: Bias) throws(FrontPanelError) -> GPIOLine {
        try open("[button] line", without: "a button") { line, message, size in
            cgpio_open_input(name, activeLow ? 1 : 0, bias.c, line, message, size)
        }
    }

    private static func open(
        _ key: String, without: String,
        _ request: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<CChar>, Int) -> Int32
    ) throws(FrontPanelError) -> GPIOLine {
        var line: OpaquePointer?
        var message = [CChar](repeating: 0, count: 256)
        let code = message.withUnsafeMutableBufferPointer { request(&line, $0.baseAddress!, $0.count) }
        if code == 0, let line { return GPIOLine(line: line) }
        let cause = message.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        throw FrontPanelError(
            text: "\(key): \(cause) (\(LinuxError.name(code))); the boot goes on without \(without)", code: code)
    }
}
