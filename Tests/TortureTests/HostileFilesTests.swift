#if Lab
import Foundation
import Testing
@testable import Torture

/// firstlightctl as scripts/build-firmware built it; nil where nobody has.
private let tool: String? = {
    let path = "\(ProcessInfo.processInfo.environment["FIRSTLIGHT_BUILD"] ?? "build")/x86_64/firstlightctl"
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
}()

@Suite(.enabled(if: tool != nil)) struct HostileFilesTests {
    /// What `body` finds in a bench whose folder goes with it. `mutant` is a shell script that stands in for firstlightctl, and calls it
    /// as `ctl`.
    private func bench<T>(mutant script: String? = nil, _ body: (HostileFiles) throws -> T) throws -> T {
        let folder = "/dev/shm/firstlight-hostile-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var path = URL(fileURLWithPath: tool!).path
        if let script {
            let text = "#!/bin/sh\nctl() { \"\(path)\" \"$@\"; }\n\(script)\n"
            path = "\(folder)/mutant"
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        return try body(try HostileFiles(tool: path, folder: "\(folder)/lane", corpora: nil))
    }

    private func verdict(_ name: String, mutant: String? = nil) throws -> String? {
        try bench(mutant: mutant) { try $0.run(try #require($0.named(name), "there is no case \(name)")) }
    }

    @Test func everyCaseHasANameOfItsOwn() throws {
        let names = try bench { $0.cases.map(\.name) }
        #expect(names.count > 30_000)
        #expect(Set(names).count == names.count)
    }

    @Test func aSampleIsTheSameForTheSameSeedAndShowsEveryKind() throws {
        let (sample, again, other) = try bench { ($0.sample(400, seed: 4), $0.sample(400, seed: 4), $0.sample(400, seed: 5)) }
        #expect(sample == again)
        #expect(sample != other)
        let words = Set(sample.flatMap { $0.name.split(separator: "/") })
        for sidecar in Sidecar.allCases { #expect(words.contains(Substring(sidecar.rawValue))) }
        for scene in HostileScene.all { #expect(words.contains(Substring(scene.name))) }
    }

    @Test func everyDamageChangesTheFileAndAlwaysInTheSameWay() {
        var generator = SeededGenerator(seed: 1)
        let file = generator.bytes(40960)
        var pages: [String: [Int]] = [:]
        for (index, role) in Damage.Role.allCases.enumerated() { pages[role.rawValue] = [2 + index % 8] }
        for damage in Damage.all where damage.sql == nil && !damage.replacesThePlace && damage != .missing {
            guard let damaged = damage.applied(to: file, pages: pages) else { continue }
            #expect(damaged != file, "\(damage.name)")
            #expect(damaged == damage.applied(to: file, pages: pages), "\(damage.name) has two outcomes")
        }
    }

    @Test(arguments: [
        "rollback.plain.known.same/encrypted/none", "rollback.plain.known.pending/bit-flips.1.1/hot-journal",
        "wal.full.known.same/zero-length/full-wal", "wal.plain.known.pending/header.userVersion.ones/full-wal",
        "wal.full.known.pending/snapshots-1/bit-flips.1.2", "rollback.plain.new.pending/encrypted/none",
    ])
    func passesWhatTheContractAllows(_ name: String) throws {
        #expect(try verdict(name) == nil)
    }

    @Test func findsAToolThatDropsALeftoverWAL() throws {
        let wrong = try verdict(
            "wal.plain.known.pending/header.userVersion.ones/full-wal",
            mutant: #"[ "$1" = migrate ] && rm -f -- "$4-wal"; ctl "$@""#)
        #expect(wrong?.contains(/^migrated: [a-z]+ has other rows/) == true, "\(wrong ?? "")")
    }

    @Test func findsAToolThatUnlinksInsteadOfMovingAside() throws {
        let wrong = try verdict(
            "rollback.plain.known.same/encrypted/none",
            mutant: #"""
                ctl "$@"; code=$?
                [ -d "${4%/*}/.firstlight" ] && find "${4%/*}/.firstlight/app/quarantine" -name app.db -delete
                exit $code
                """#)
        #expect(wrong?.hasPrefix("bytes: app.db is neither") == true, "\(wrong ?? "")")
    }

    /// The newest snapshot was damaged in the one bit that its seal alone can tell.
    @Test func findsASnapshotThatIsTakenWithoutItsSeal() throws {
        let wrong = try verdict(
            "rollback.plain.known.same/snapshots-1/bit-flips.1.2",
            mutant: #"""
                state="${4%/*}/.firstlight/app"
                if [ "$1" = migrate ] && [ -d "$state" ] && [ ! -d "$state/quarantine/000009" ]; then
                    mkdir "$state/quarantine/000009" && mv "$4" "$state/quarantine/000009/" && cp "$state"/snapshots/000002* "$4"
                    echo '{"outcome": "restored", "reason": "x", "schema": 1, "wanted": 1, "pending": 0,' \
                        '"lost": "what was written after snapshot 000002", "snapshot": "000002", "quarantine": "there"}' | tr -d '\n'
                    exit 4
                fi
                ctl "$@"
                """#)
        #expect(wrong?.contains("000002") == true, "\(wrong ?? "")")
    }

    @Test func findsACrash() throws {
        let wrong = try verdict(
            "rollback.plain.known.same/one-byte/none",
            mutant: #"[ -f "$4" ] && [ $(stat -c %s "$4") -eq 1 ] && kill -SEGV $$; ctl "$@""#)
        #expect(wrong?.hasPrefix("crash: it ended by signal 11") == true, "\(wrong ?? "")")
    }

    @Test func findsALossThatIsNotTold() throws {
        let wrong = try verdict(
            "rollback.plain.known.same/encrypted/none",
            mutant: #"ctl "$@" | sed 's/"lost": "[^"]*"/"lost": null/'; exit 0"#)
        #expect(wrong?.hasPrefix("restored with nothing lost") == true, "\(wrong ?? "")")
    }

    @Test func findsAnExitThatIsNotTheOutcomes() throws {
        let wrong = try verdict("rollback.plain.known.same/encrypted/none", mutant: #"ctl "$@"; exit 0"#)
        #expect(wrong?.hasPrefix("exit 0 with the outcome restored") == true, "\(wrong ?? "")")
    }
}
#endif
