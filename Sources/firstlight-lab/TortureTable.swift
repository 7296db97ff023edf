#if Lab
import Torture

/// Faults tried, by scenario and kind.
struct TortureTable {
    private let cells: [Bench.Cell]

    init(_ cells: [Bench.Cell]) { self.cells = cells }

    var text: String {
        let kinds = FaultKind.allCases.filter { kind in cells.contains { $0.kind == kind } }
        var names: [String] = []
        for kind in kinds {
            for cell in cells.filter({ $0.kind == kind }).sorted(by: { $0.scenario < $1.scenario }) where !names.contains(cell.scenario) {
                names.append(cell.scenario)
            }
        }
        func column(_ text: String) -> String { String(repeating: " ", count: max(1, 20 - text.count)) + text }
        var lines = ["".padding(40) + kinds.map { column($0.rawValue) }.joined()]
        for name in names {
            lines.append(
                (name.isEmpty ? "(cases of their own)" : name).padding(40)
                    + kinds.map { kind in column(cells.first { $0.kind == kind && $0.scenario == name }.map { "\($0.tried)" } ?? "") }.joined())
        }
        let sums = kinds.map { kind in cells.filter { $0.kind == kind }.reduce(0) { $0 + $1.tried } }
        lines.append("faults".padding(40) + sums.map { column("\($0)") }.joined())
        let failures = kinds.map { kind in cells.filter { $0.kind == kind }.reduce(0) { $0 + $1.failures.count } }
        lines.append("failures".padding(40) + failures.map { column("\($0)") }.joined())
        return lines.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padding(_ count: Int) -> String { self + String(repeating: " ", count: max(1, count - self.count)) }
}
#endif
