internal import CGPIO
internal import Linux

/// The button itself.
public final class ButtonInput {
    private enum Backend: ~Copyable {
        case none
        case gpio(GPIOLine)
        case key(KeyInput)
    }

    private let backend: Backend
    /// As the configuration names it, `none` where there is no button.
    public let text: String
    private var isGone = false

    private init(_ backend: consuming Backend, text: String) {
        self.backend = backend
        self.text = text
    }

    /// No button: never down.
    public static var none: ButtonInput { ButtonInput(.none, text: "none") }

    /// Takes the line, with events on both edges. A key's polarity and bias are the device tree's.
    public static func open(_ line: LineSpec, activeLow: Bool, bias: Bias) throws(FrontPanelError) -> ButtonInput {
        switch line {
        case .none:
            return .none
        case .gpio(let name):
            return ButtonInput(.gpio(try GPIOLine.input(name, activeLow: activeLow, bias: bias)), text: line.text)
        case .key(_, let code):
            do throws(LinuxError) {
                return ButtonInput(.key(try KeyInput.open(code: code)), text: line.text)
            } catch {
                throw FrontPanelError(
                    text: "[button] line: \(line.text): \(error.text); the boot goes on without a button",
                    code: error.code)
            }
        case .led:
            throw FrontPanelError(
                text: "[button] line: \(line.text) is a LED; the boot goes on without a button", code: 0)
        }
    }

    /// Readable when an edge waits; -1 without a button, and once its device has gone.
    public var descriptor: Int32 {
        if isGone { return -1 }
        switch backend {
        case .none: return -1
        case .gpio(let gpio): return cgpio_fd(gpio.line)
        case .key(let key): return key.descriptor
        }
    }

    /// The level now; a button that cannot be read is up.
    public var isDown: Bool {
        switch backend {
        case .none: false
        case .gpio(let gpio): cgpio_get(gpio.line) == 1
        case .key(let key): key.isDown
        }
    }

    /// Takes all waiting edges, with their times in Clock.milliseconds, in order. Where the kernel may have lost some, one more, dated `now`,
    /// makes them end at the level.
    public func edges(now: Int64) -> [(pressed: Bool, at: Int64)] {
        ButtonInput.edges(now: now, next: nextEdge) { isDown }
    }

    /// How many edges the kernel keeps for a line (gpiolib-cdev.c); libgpiod 1.6's interface loses the newest of more. A key's driver says itself
    /// when it lost some.
    static let queue = 16

    /// The same with the button as two functions, for tests.
    static func edges(
        now: Int64, next: () -> (pressed: Bool, at: Int64)?, isDown: () -> Bool
    ) -> [(pressed: Bool, at: Int64)] {
        var edges: [(pressed: Bool, at: Int64)] = []
        while let edge = next() { edges.append(edge) }
        // Only a full queue loses any. With fewer the level is not looked at: it may be ahead of an edge that is on its way, which would then be
        // counted twice, and taken for noise.
        if edges.count >= queue, let last = edges.last, last.pressed != isDown() { edges.append((!last.pressed, now)) }
        return edges
    }

    private func nextEdge() -> (pressed: Bool, at: Int64)? {
        var pressed: Int32 = 0
        var time: Int64 = 0
        let taken =
            switch backend {
            case .none: Int32(0)
            case .gpio(let gpio): cgpio_read_edge(gpio.line, &pressed, &time)
            case .key(let key): key.readEdge(&pressed, &time)
            }
        // What is gone is readable for ever: a poll loop would turn round it without end.
        if taken < 0 { isGone = true }
        return taken == 1 ? (pressed != 0, time / 1_000_000) : nil
    }
}
