#if Lab
import Testing

@testable import Torture

struct SeededGeneratorTests {
    /// The first numbers of the reference implementation (https://prng.di.unimi.it/splitmix64.c) for this seed.
    @Test func itIsSplitMix64() {
        var generator = SeededGenerator(seed: 1_234_567)
        #expect([generator.next(), generator.next()] == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
    }
}
#endif
