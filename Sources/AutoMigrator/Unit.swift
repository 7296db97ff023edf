/// Moves that are committed together: consecutive transactional ones that agree about foreign keys. A `transaction:false` move is alone.
struct Unit {
    var moves: [Move]
    let alone: Bool
    let foreignKeys: Bool

    static func split(_ moves: [Move]) -> [Unit] {
        var units: [Unit] = []
        for move in moves {
            let alone = !move.options.transaction
            if !alone, let last = units.last, !last.alone, last.foreignKeys == move.options.foreignKeys {
                units[units.count - 1].moves.append(move)
            } else {
                units.append(Unit(moves: [move], alone: alone, foreignKeys: move.options.foreignKeys))
            }
        }
        return units
    }
}
