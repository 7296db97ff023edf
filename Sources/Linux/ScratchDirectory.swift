/// A directory of its own for files nobody will miss, removed with everything in it when the value goes.
public struct ScratchDirectory: ~Copyable {
    public let path: String

    /// Makes one that nobody else can look into below `parent`.
    public init(below parent: String) throws(LinuxError) {
        var number = Clock.milliseconds
        // mkdir follows no link and takes over nothing that is there: a name that was guessed costs one more try.
        while try !FileSystem.makeDirectory("\(parent)/firstlight-\(number)", permissions: 0o700) { number += 1 }
        path = "\(parent)/firstlight-\(number)"
    }

    deinit { try? FileSystem.removeTree(path) }
}
