internal import Linux

/// What a `line =` in the configuration names.
public enum LineSpec: Sendable, Equatable {
    /// No LED, or no button.
    case none
    /// `gpiochip0:5`, or a line's name.
    case gpio(String)
    /// `led:NAME`: a LED that the device tree gave to the kernel's own driver.
    case led(String)
    /// `key:NAME`: a button that the device tree gave to the kernel's own driver, by the code of its key.
    case key(String, code: UInt16)

    /// The keys a board's button is given, by their names in linux/input-event-codes.h without `KEY_`.
    private static let keys: [(name: String, code: UInt16)] = [
        ("POWER", 116), ("SETUP", 141), ("PROG1", 148), ("CONFIG", 171), ("RESTART", 0x198), ("WPS_BUTTON", 0x211),
    ]

    /// Each as the configuration spells it: `key:POWER, key:SETUP` …
    public static var keyNames: String { keys.map { "key:\($0.name)" }.joined(separator: ", ") }

    /// Nil for a text that can name no line: an unknown key, a LED's name that is a path.
    public init?(text: String) {
        if text == "none" || text.utf8.isEmpty {
            self = .none
        } else if let name = Text.dropPrefix(text, "led:") {
            // A name is one directory in /sys/class/leds, and nothing above it.
            guard !name.utf8.isEmpty, !name.utf8.contains(0x2F), name != "..", name != "." else { return nil }
            self = .led(name)
        } else if let name = Text.dropPrefix(text, "key:") {
            guard let key = LineSpec.keys.first(where: { $0.name == name }) else { return nil }
            self = .key(name, code: key.code)
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
        case .key(let name, _): "key:\(name)"
        }
    }
}
