internal import Linux

/// A JSON value (RFC 8259), numbers as 64-bit integers only: what status.json and the workers' last lines are made of.
///
/// Embedded Swift has neither Foundation nor Codable.
public indirect enum JSON: Sendable {
    case null
    case bool(Bool)
    case number(Int64)
    case string(String)
    case array([JSON])
    /// In the order of writing.
    case object([(key: String, value: JSON)])

    public static func string(_ text: String?) -> JSON { text.map { JSON.string($0) } ?? .null }
    public static func number(_ value: Int64?) -> JSON { value.map { JSON.number($0) } ?? .null }

    /// On one line.
    public var text: String {
        var out: [UInt8] = []
        write(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private func write(to out: inout [UInt8]) {
        switch self {
        case .null: out += Array("null".utf8)
        case .bool(let value): out += Array((value ? "true" : "false").utf8)
        case .number(let value): out += Array("\(value)".utf8)
        case .string(let text): JSON.write(text, to: &out)
        case .array(let values):
            out.append(0x5B)
            for (index, value) in values.enumerated() {
                if index > 0 { out += [0x2C, 0x20] }
                value.write(to: &out)
            }
            out.append(0x5D)
        case .object(let members):
            out.append(0x7B)
            for (index, member) in members.enumerated() {
                if index > 0 { out += [0x2C, 0x20] }
                JSON.write(member.key, to: &out)
                out += [0x3A, 0x20]
                member.value.write(to: &out)
            }
            out.append(0x7D)
        }
    }

    private static func write(_ text: String, to out: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        out.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: out += [0x5C, byte]
            case 0x0A: out += [0x5C, 0x6E]
            case 0x09: out += [0x5C, 0x74]
            case 0..<0x20: out += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: out.append(byte)
            }
        }
        out.append(0x22)
    }

    // ---- Looking inside ----

    /// The member of an object; nil for anything else, and for null.
    public subscript(_ key: String) -> JSON? {
        guard case .object(let members) = self, let member = members.first(where: { $0.key == key }) else { return nil }
        if case .null = member.value { return nil }
        return member.value
    }

    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var numberValue: Int64? {
        if case .number(let value) = self { value } else { nil }
    }

    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements; none for anything but an array.
    public var elements: [JSON] {
        if case .array(let values) = self { values } else { [] }
    }

    /// Reads one value that is the whole text; nil for anything malformed, nested deeper than 32, or with a number that is no
    /// 64-bit integer.
    public init?(parsing text: String) {
        var reader = Reader(bytes: Array(text.utf8))
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipBlanks()
        guard reader.isAtEnd else { return nil }
        self = value
    }

    private struct Reader {
        let bytes: [UInt8]
        var i = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { i == bytes.count }

        mutating func skipBlanks() {
            while i < bytes.count, Text.isBlank(bytes[i]) { i += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            skipBlanks()
            guard i < bytes.count, bytes[i] == byte else { return false }
            i += 1
            return true
        }

        mutating func take(word: String) -> Bool {
            guard bytes[i...].starts(with: word.utf8) else { return false }
            i += word.utf8.count
            return true
        }

        mutating func value(depth: Int) -> JSON? {
            skipBlanks()
            guard i < bytes.count, depth < 32 else { return nil }
            switch bytes[i] {
            case 0x6E: return take(word: "null") ? .null : nil
            case 0x74: return take(word: "true") ? .bool(true) : nil
            case 0x66: return take(word: "false") ? .bool(false) : nil
            case 0x22: return string().map { .string($0) }
            case 0x5B: return array(depth: depth)
            case 0x7B: return object(depth: depth)
            default: return number()
            }
        }

        private mutating func array(depth: Int) -> JSON? {
            i += 1
            var values: [JSON] = []
            if take(0x5D) { return .array(values) }
            repeat {
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
            } while take(0x2C)
            return take(0x5D) ? .array(values) : nil
        }

        private mutating func object(depth: Int) -> JSON? {
            i += 1
            var members: [(key: String, value: JSON)] = []
            if take(0x7D) { return .object(members) }
            repeat {
                skipBlanks()
                guard i < bytes.count, bytes[i] == 0x22, let key = string(), take(0x3A), let value = value(depth: depth + 1)
                else { return nil }
                members.append((key, value))
            } while take(0x2C)
            return take(0x7D) ? .object(members) : nil
        }

        private mutating func number() -> JSON? {
            let start = i
            if bytes[i] == 0x2D { i += 1 }
            while i < bytes.count, bytes[i] >= 0x30, bytes[i] <= 0x39 { i += 1 }
            return Int64(String(decoding: bytes[start..<i], as: UTF8.self)).map { .number($0) }
        }

        private mutating func string() -> String? {
            i += 1
            var out: [UInt8] = []
            while i < bytes.count {
                let byte = bytes[i]
                i += 1
                switch byte {
                case 0x22: return String(decoding: out, as: UTF8.self)
                case 0x5C:
                    guard i < bytes.count else { return nil }
                    i += 1
                    switch bytes[i - 1] {
                    case 0x22: out.append(0x22)
                    case 0x5C: out.append(0x5C)
                    case 0x2F: out.append(0x2F)
                    case 0x62: out.append(0x08)
                    case 0x66: out.append(0x0C)
                    case 0x6E: out.append(0x0A)
                    case 0x72: out.append(0x0D)
                    case 0x74: out.append(0x09)
                    case 0x75:
                        guard i + 4 <= bytes.count,
                            let code = UInt32(String(decoding: bytes[i..<(i + 4)], as: UTF8.self), radix: 16),
                            let scalar = Unicode.Scalar(code)
                        else { return nil }
                        i += 4
                        out += UTF8.encode(scalar).map { Array($0) } ?? []
                    default: return nil
                    }
                default: out.append(byte)
                }
            }
            return nil
        }
    }
}
