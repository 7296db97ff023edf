#if Lab
import Foundation

/// SQLite's public corrupt databases (scripts/corpora): blobs in the table `db(dbid, dbcontent)` of two files of its test suite.
public struct Corpus: Sendable {
    /// One database of a corpus.
    public struct Number: Hashable, Sendable {
        let file: Int
        let id: Int
    }

    let folder: String
    /// Every database there is, in order.
    let numbers: [Number]

    /// - Parameter folder: build/cache/corpora, or wherever they are.
    init(_ folder: String) throws {
        self.folder = folder
        var numbers: [Number] = []
        for file in [3, 7] {
            let database = HostileConnection(Self.path(folder, file))
            guard let ids = database.column("SELECT dbid FROM db ORDER BY dbid"), !ids.isEmpty else {
                throw HostileError("\(Self.path(folder, file)): \(database.message); scripts/corpora fetches it")
            }
            numbers += ids.compactMap { Int($0).map { Number(file: file, id: $0) } }
        }
        self.numbers = numbers
    }

    func database(_ number: Number) throws -> Data {
        let corpus = HostileConnection(Self.path(folder, number.file))
        guard let bytes = corpus.bytes("SELECT dbcontent FROM db WHERE dbid = \(number.id)") else {
            throw HostileError("fuzzdata\(number.file).db has no database \(number.id): \(corpus.message)")
        }
        return bytes
    }

    private static func path(_ folder: String, _ file: Int) -> String { "\(folder)/fuzzdata\(file).db" }
}
#endif
