#if Lab
/// What desk shows, as lines of text: the board at the left, its console at the right, the keys below. Pure.
struct DeskScreen {
    var isLit = false
    var pattern = ""
    var hasPower = false
    var seconds = 0
    var isButtonDown = false
    var firmware = ""
    var disk = ""
    var console: [String] = []
    var message = ""

    private static let left = 24
    private static let help = [
        "b hold/let go the button   c cut the power   p power on   q quit",
        "n next firmware   x broken migration   g corrupt the database   o old device",
    ]

    func lines(columns: Int, rows: Int) -> [String] {
        let height = max(rows - 4, 12)
        let width = max(columns - Self.left - 3, 20)
        let board = boardLines
        let text = Self.tail(console, width: width, height: height)
        let title = "  Firstlight, a board on your desk"
        var lines = ["\u{1B}[7m" + Self.fitted(title, columns)]
        for row in 0..<height {
            let cell = row < board.count ? board[row] : String(repeating: " ", count: Self.left)
            lines.append(cell + "\u{1B}[0m \u{1B}[90m│\u{1B}[0m " + (row < text.count ? text[row] : ""))
        }
        lines.append("\u{1B}[1m" + Self.clipped(" " + message, columns))
        return lines + Self.help.map { Self.clipped(" " + $0, columns) }
    }

    /// Each 24 columns wide.
    private var boardLines: [String] {
        let colour = isLit ? "\u{1B}[38;5;46m" : "\u{1B}[38;5;237m"
        let disc = (0..<9).map { row in
            let cells = (0..<18).map { column in Self.cell(row: row, column: column) }.joined()
            return "   " + colour + cells + "\u{1B}[0m   "
        }
        let name = hasPower ? pattern : "no power"
        let indent = String(repeating: " ", count: max((Self.left - name.count) / 2, 0))
        let facts = [
            hasPower ? "power    on for \(seconds) s" : "power    off",
            "button   \(isButtonDown ? "held down" : "up")", "firmware \(firmware)", "disk     \(disk)",
        ]
        let blank = String(repeating: " ", count: Self.left)
        return [blank] + disc + [blank, "\u{1B}[1m" + Self.fitted(indent + name, Self.left), blank]
            + facts.map { Self.fitted(" " + $0, Self.left) }
    }

    /// Two points of a disc, one above the other: a cell is twice as high as wide.
    private static func cell(row: Int, column: Int) -> String {
        func isInside(_ y: Int) -> Bool {
            let (dx, dy) = (Double(column) - 8.5, Double(y) - 8.5)
            return dx * dx + dy * dy <= 81
        }
        return switch (isInside(row * 2), isInside(row * 2 + 1)) {
        case (true, true): "█"
        case (true, false): "▀"
        case (false, true): "▄"
        case (false, false): " "
        }
    }

    /// The last lines that fit, long ones folded.
    private static func tail(_ lines: [String], width: Int, height: Int) -> [String] {
        var folded: [String] = []
        for line in lines.suffix(height) {
            var rest = Substring(line)
            repeat {
                folded.append(String(rest.prefix(width)))
                rest = rest.dropFirst(width)
            } while !rest.isEmpty
        }
        return folded.suffix(height)
    }

    private static func clipped(_ text: String, _ width: Int) -> String { String(text.prefix(width)) }

    private static func fitted(_ text: String, _ width: Int) -> String {
        clipped(text, width) + String(repeating: " ", count: max(width - text.count, 0))
    }
}
#endif
