internal import CGPIO

/// The button itself.
public final class ButtonInput {
    private let line: OpaquePointer?
    /// As the configuration names it, `none` where there is no button.
    public let text: String

    private init(_ line: OpaquePointer?, text: String) {
        self.line = line
        self.text = text
    }

    deinit {
        if let line { cgpio_close(line) }
    }

    /// No button: never down.
    public static var none: ButtonInput { ButtonInput(nil, text: "none") }

    /// Takes the line, with events on both edges.
    public static func open(_ line: LineSpec, activeLow: Bool, bias: Bias) throws(FrontPanelError) -> ButtonInput {
        guard case .gpio(let name) = line else { return .none }
        var opened: OpaquePointer?
        let message = MessageBuffer()
        let code = cgpio_open_input(name, activeLow ? 1 : 0, bias.c, &opened, message.start, MessageBuffer.size)
        guard code == 0, let opened else {
            throw FrontPanelError(text: "[button] line: \(message.text); the boot goes on without a button", code: code)
        }
        return ButtonInput(opened, text: line.text)
    }

    /// Readable when an edge waits; -1 without a button.
    public var descriptor: Int32 { line.map { cgpio_fd($0) } ?? -1 }

    /// The level now; a button that cannot be read is up.
    public var isDown: Bool { line.map { cgpio_get($0) == 1 } ?? false }

    /// Takes the next waiting edge, with its time in Clock.milliseconds; nil when none waits.
    public func nextEdge() -> (pressed: Bool, at: Int64)? {
        guard let line else { return nil }
        var active: Int32 = 0
        var time: Int64 = 0
        guard cgpio_read_edge(line, &active, &time) == 1 else { return nil }
        return (active != 0, time / 1_000_000)
    }
}
