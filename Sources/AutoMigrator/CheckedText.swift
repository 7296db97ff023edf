internal import Linux

/// Small files of `key=value` lines whose last line is the checksum of the others: whole and unharmed, or nothing.
enum CheckedText {
    /// The lines with their checksum.
    static func text(_ fields: [(key: String, value: String)]) -> String {
        var body = ""
        for field in fields { body += "\(field.key)=\(field.value)\n" }
        return body + "checksum=\(Text.hex(XXH64.digest(of: body)))\n"
    }

    /// Nil when the checksum does not hold.
    static func fields(_ text: String) -> [String: String]? {
        var values: [String: String] = [:]
        var body = ""
        for line in Text.lines(text) {
            guard let (key, value) = Text.cut(line, at: 0x3D) else { continue }
            values[key] = value
            if key != "checksum" { body += line + "\n" }
        }
        return values["checksum"] == Text.hex(XXH64.digest(of: body)) ? values : nil
    }
}
