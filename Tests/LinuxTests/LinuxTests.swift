import Linux
import Testing

@Suite struct LinuxTests {
    @Test(arguments: [("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999)] as [(String, UInt64)])
    func xxh64MatchesThePublishedVectors(text: String, digest: UInt64) { #expect(XXH64.digest(of: text) == digest) }

    @Test func xxh64DoesNotDependOnHowTheBytesCome() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for piece in [1, 7, 31, 32, 33, 64, 999] {
            var hash = XXH64()
            var start = 0
            while start < bytes.count {
                Array(bytes[start..<min(start + piece, bytes.count)]).withUnsafeBytes { hash.update($0) }
                start += piece
            }
            #expect(hash.digest == XXH64.digest(of: bytes), "in pieces of \(piece)")
        }
    }

    @Test func timesHaveUnits() {
        #expect(Text.milliseconds("500ms") == 500)
        #expect(Text.milliseconds("10min") == 600_000)
        for text in ["5", "s", "-1s", "1.5s", "99999999999999999d"] { #expect(Text.milliseconds(text) == nil) }
    }

    @Test func linesLoseTheirEndsAndNothingElse() {
        #expect(Text.lines("a\r\nb\n\nc") == ["a", "b", "", "c"])
        #expect(Text.lines("").isEmpty)
    }

    @Test func theShortSortKeepsEqualsInOrder() {
        var list = [(3, "a"), (1, "b"), (3, "c"), (2, "d"), (1, "e")]
        Text.sort(&list) { $0.0 < $1.0 }
        #expect(list.map { $0.1 } == ["b", "e", "d", "a", "c"])
    }
}
