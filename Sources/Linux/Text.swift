/// Small text work on UTF-8 bytes: Embedded Swift has no Foundation, and Character's tables cost what bytes do not.
public enum Text {
    /// The lines of a text without their ends; a carriage return before the newline belongs to the end.
    public static func lines(_ text: String) -> [String] {
        // Sliced, not put together byte by byte: the configuration is read before the LED is lit.
        let bytes = Array(text.utf8)
        var lines: [String] = []
        var start = 0
        while start < bytes.count {
            let newline = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let end = newline > start && bytes[newline - 1] == 0x0D ? newline - 1 : newline
            lines.append(String(decoding: bytes[start..<end], as: UTF8.self))
            start = newline + 1
        }
        return lines
    }

    /// Without blanks, tabs and line ends at both ends.
    public static func trim(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var start = 0
        var end = bytes.count
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Blank, tab, or a line end.
    public static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// The parts between separators; empty parts are kept.
    public static func split(_ text: String, _ separator: UInt8) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        for byte in text.utf8 {
            if byte == separator {
                parts.append(String(decoding: part, as: UTF8.self))
                part.removeAll(keepingCapacity: true)
            } else {
                part.append(byte)
            }
        }
        parts.append(String(decoding: part, as: UTF8.self))
        return parts
    }

    /// The words between blanks; none is empty.
    public static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        for byte in text.utf8 {
            if !isBlank(byte) {
                word.append(byte)
            } else if !word.isEmpty {
                words.append(String(decoding: word, as: UTF8.self))
                word.removeAll(keepingCapacity: true)
            }
        }
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }

    /// What is before and after the first `separator`; nil when there is none.
    public static func cut(_ text: String, at separator: UInt8) -> (before: String, after: String)? {
        let bytes = Array(text.utf8)
        guard let place = bytes.firstIndex(of: separator) else { return nil }
        return (
            String(decoding: bytes[..<place], as: UTF8.self), String(decoding: bytes[(place + 1)...], as: UTF8.self)
        )
    }

    /// Whether `text` begins with `prefix`, byte by byte.
    public static func hasPrefix(_ text: String, _ prefix: String) -> Bool {
        text.utf8.starts(with: prefix.utf8)
    }

    /// By bytes.
    public static func hasSuffix(_ text: String, _ suffix: String) -> Bool {
        text.utf8.reversed().starts(with: suffix.utf8.reversed())
    }

    /// What follows `prefix`; nil where the text does not begin with it.
    public static func dropPrefix(_ text: String, _ prefix: String) -> String? {
        hasPrefix(text, prefix) ? String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : nil
    }

    /// Whether `part` stands anywhere in `text`.
    public static func contains(_ text: String, _ part: String) -> Bool { find(text, part) != nil }

    /// Where `part` stands first in `text`, in bytes; nil where it does not.
    public static func find(_ text: String, _ part: String) -> Int? {
        let text = Array(text.utf8)
        let part = Array(part.utf8)
        if part.isEmpty { return 0 }
        var start = 0
        while start + part.count <= text.count {
            if text[start..<(start + part.count)].elementsEqual(part) { return start }
            start += 1
        }
        return nil
    }

    /// ASCII letters in lower case; other bytes as they are.
    public static func lowercase(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 0x20 : $0 }, as: UTF8.self)
    }

    /// Sorts a short list in place, keeping the order of equals. The standard library's sort is quicker on long ones, and three kilobytes
    /// of code for each type it is used with.
    public static func sort<T>(_ list: inout [T], by precedes: (T, T) -> Bool) {
        for i in list.indices.dropFirst() {
            var j = i
            while j > 0 && precedes(list[j], list[j - 1]) {
                list.swapAt(j, j - 1)
                j -= 1
            }
        }
    }

    /// Order by bytes, the same on every machine and in every locale.
    public static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    /// A decimal number without sign, blanks or overflow; nil for anything else.
    public static func number(_ text: String) -> Int64? {
        if text.utf8.isEmpty { return nil }
        var value: Int64 = 0
        for byte in text.utf8 {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// `5s`, `500ms`, `10min`, `2h`, `7d` in milliseconds; nil for anything else.
    public static func milliseconds(_ text: String) -> Int64? {
        let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let value = number(String(decoding: digits, as: UTF8.self)) else { return nil }
        let unit: Int64
        switch trim(String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self)) {
        case "ms": unit = 1
        case "s": unit = 1000
        case "min": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: return nil
        }
        // More than a century is a mistake, and room to add times up.
        let (product, overflow) = value.multipliedReportingOverflow(by: unit)
        return overflow || product > 100 * 366 * 86_400_000 ? nil : product
    }

    /// `/data/app` of `/data/app/app.db`; `.` of a name without a slash.
    public static func directory(of path: String) -> String {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: 0x2F) else { return "." }
        return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
    }

    /// `app.db` of `/data/app/app.db`.
    public static func name(of path: String) -> String {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: 0x2F) else { return path }
        return String(decoding: bytes[(slash + 1)...], as: UTF8.self)
    }

    /// `app` of `app.db`.
    public static func stem(of name: String) -> String {
        let bytes = Array(name.utf8)
        guard let dot = bytes.lastIndex(of: 0x2E), dot > 0 else { return name }
        return String(decoding: bytes[..<dot], as: UTF8.self)
    }

    /// At most `longest` bytes of a text and a sign that there was more, for files that are read at once.
    public static func short(_ text: String, longest: Int = 4096) -> String {
        text.utf8.count <= longest ? text : String(decoding: text.utf8.prefix(longest), as: UTF8.self) + " …"
    }

    /// At least `width` digits, with zeros in front: file names that sort by number.
    public static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = "\(value)"
        let missing = width - digits.utf8.count
        return missing > 0 ? String(repeating: "0", count: missing) + digits : digits
    }

    /// Sixteen hexadecimal digits.
    public static func hex(_ value: UInt64) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: (0..<16).map { digits[Int((value >> UInt64(60 - $0 * 4)) & 15)] }, as: UTF8.self)
    }

    /// The value of sixteen hexadecimal digits.
    public static func hexValue(_ text: String) -> UInt64? {
        guard text.utf8.count == 16 else { return nil }
        var value: UInt64 = 0
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt64(byte - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(byte - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }
}
