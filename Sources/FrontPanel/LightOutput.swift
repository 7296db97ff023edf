internal import CGPIO
internal import Linux

/// The LED itself.
public final class LightOutput {
    private enum Backend: ~Copyable {
        case none
        case gpio(GPIOLine)
        case led(ClassLED)
    }

    private let backend: Backend
    /// As the configuration names it, `none` where there is no LED.
    public let text: String
    /// What a line was set to, so that only edges cost a system call.
    private var lit: Bool

    private init(_ backend: consuming Backend, text: String, lit: Bool) {
        self.backend = backend
        self.text = text
        self.lit = lit
    }

    /// No LED: `show` does nothing.
    public static var none: LightOutput { LightOutput(.none, text: "none", lit: false) }

    /// Takes the line and lights it, or not, in the same request: the first edge costs nothing more.
    ///
    /// - Parameter key: where the line stands in `[light]`, for messages: `line`, or `error` for the second LED.
    public static func open(
        _ line: LineSpec, activeLow: Bool, openDrain: Bool, lit: Bool, key: String = "line"
    ) throws(FrontPanelError) -> LightOutput {
        switch line {
        case .none:
            return .none
        case .gpio(let name):
            let gpio = try GPIOLine.output(
                name, activeLow: activeLow, openDrain: openDrain, lit: lit, key: key)
            return LightOutput(.gpio(gpio), text: line.text, lit: lit)
        case .led(let name):
            do throws(LinuxError) {
                return LightOutput(
                    .led(try ClassLED.open("/sys/class/leds/\(name)", lit: lit)), text: line.text, lit: lit)
            } catch {
                throw FrontPanelError(
                    text: "[light] \(key): \(line.text): \(error.text); the boot goes on without this LED", code: error.code)
            }
        case .key:
            throw FrontPanelError(
                text: "[light] \(key): \(line.text) is a key; the boot goes on without this LED", code: 0)
        }
    }

    /// Whether the LED needs no `show` at the edges of what it shows, only when that changes: the kernel makes them, or there is no LED.
    public var isDrivenByKernel: Bool {
        switch backend {
        case .none: true
        case .gpio: false
        case .led(let led): led.isDrivenByKernel
        }
    }

    /// Shows a pattern, which at this moment is lit or not. Costs nothing when neither has changed, so it can be called at any time.
    ///
    /// What the kernel drives goes on when everything of ours is stuck, and when this process ends. An error has nobody to be told to: the
    /// LED is how one tells.
    public func show(_ pattern: LightPattern, lit: Bool) {
        switch backend {
        case .none: break
        case .gpio(let gpio):
            if lit == self.lit { break }
            self.lit = lit
            _ = cgpio_set(gpio.line, lit ? 1 : 0)
        case .led(let led): led.show(pattern, lit: lit)
        }
    }
}
