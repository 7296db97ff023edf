internal import Linux

/// What a `line =` in the configuration names.
public enum LineSpec: Sendable, Equatable {
    case none
    /// `gpiochip0:5`, or a line's name.
    case gpio(String)
    /// `led:NAME`: a LED that the device tree gave to the kernel's own driver.
    case led(String)

    public init?(text: String) {
        if text == "none" || text.utf8.isEmpty {
            self = .none
        } else if let name = Text.dropPrefix(text, "led:") {
            // A name is one directory in /sys/class/leds, and nothing above it.
            guard !name.utf8.isEmpty, !name.utf8.contains(0x2F), name != ".." else { return nil }
            self = .led(name)
        } else if Text.hasPrefix(text, "key:") {
            return nil
        } else {
            self = .gpio(text)
        }
    }

    /// As the configuration spells it.
    public var text: String {
        switch self {
        case .none: "none"
        case .gpio(let line): line
        case .led(let name): "led:\(name)"
        }
    }
}
