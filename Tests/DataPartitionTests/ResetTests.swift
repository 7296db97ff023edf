import CLinux
import Linux
import Testing

@testable import DataPartition

/// Factory resets that were asked for, by whom and of what ever.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct ResetTests {
    /// Made by us, with `commands` done in its root.
    private func disk(_ commands: String = "echo secret > rows") throws -> LoopDisk {
        let disk = try LoopDisk()
        var partition = disk.partition()
        _ = try partition.bringUp()
        try shell("cd \(disk.mount) && \(commands)").output()
        disk.unmount()
        return disk
    }

    /// Made by others, up to the partition's end, with blocks so small that backups lie where ours never do.
    private func foreignDisk() throws -> LoopDisk {
        let disk = try LoopDisk()
        try shell("mkfs.ext4 -q -F -b 1024 \(disk.device) && mount \(disk.device) \(disk.mount) && echo secret > \(disk.mount)/rows").output()
        disk.unmount()
        return disk
    }

    private func listing(_ disk: LoopDisk) -> String { shell("cd \(disk.mount) && find . ! -name . | sort | tr '\\n' ' '").text }

    // ---- Asked for, and done at the next boot ----

    @Test func isDoneByTheNextBootAndOnce() throws {
        let disk = try disk()
        var first = disk.partition()
        _ = try first.bringUp()
        // While an application works on it.
        do {
            let busy = try FileDescriptor.open("\(disk.mount)/rows", .read)
            try first.requestReset(reason: "firstlightctl")
            #expect(disk.get("rows") == "secret\n")
            _ = busy.raw
        }
        disk.unmount()

        var second = disk.partition()
        let report = try second.bringUp()
        #expect(report.rungs == "wipe ok, mount ok" && report.wiped && report.resets == 1)
        #expect(report.history.last.map { Text.hasSuffix($0, "wipe: firstlightctl") } == true)
        #expect(disk.get("rows") == nil)
        disk.put("rows", "new")
        disk.unmount()
        var third = disk.partition()
        #expect(try third.bringUp().rungs == "clean ok, mount ok")
        #expect(disk.get("rows") == "new")
    }

    @Test func aRestartedSupervisorLeavesItToTheNextBoot() throws {
        let disk = try disk()
        var first = disk.partition()
        _ = try first.bringUp()
        try first.requestReset(reason: "firstlightctl")
        do {
            let busy = try FileDescriptor.open("\(disk.mount)/rows", .read)
            var second = disk.partition()
            #expect(try second.bringUp().rungs == "mount ok")
            _ = busy.raw
        }
        #expect(disk.get("rows") == "secret\n")
    }

    @Test func actsOnEachTokenOnce() throws {
        let disk = try LoopDisk()
        for (token, isReset, resets) in [("A1", true, 1), ("A1", false, 1), ("B2", true, 2), ("B2", false, 2), ("A1", true, 3)] as [(String, Bool, Int64)] {
            var partition = disk.partition()
            partition.resetToken = token
            let report = try partition.bringUp()
            #expect(report.wiped == isReset && report.resets == resets, "\(token)")
            #expect((disk.get("rows") == nil) == isReset, "\(token)")
            disk.put("rows", "of \(token)")
            disk.unmount()
        }
        // A flag that says nothing asks for nothing.
        for token in ["", "  "] {
            var partition = disk.partition()
            partition.resetToken = token
            #expect(try !partition.bringUp().wiped)
            disk.unmount()
        }
    }

    @Test func isRefusedWhereTheConfigurationProtectsThePartition() throws {
        let disk = try disk()
        let changes: [(inout DataSettings) -> Void] = [
            { $0.format = .never }, { $0.resetMistake = "/elsewhere" }, { $0.reset = .database },
        ]
        for change in changes {
            var partition = disk.partition(nil, change)
            #expect(throws: DataPartitionError.self) { try partition.requestReset(reason: "firstlightctl") }
            #expect(throws: DataPartitionError.self) { try partition.wipe(reason: "button") }
            #expect(try disk.record().request == nil)
        }
        // Asked for under another configuration, or by the kernel's command line: told, and not asked again.
        var never = disk.partition(format: .never)
        never.resetToken = "A1"
        #expect(try never.bringUp().rungs == "wipe refused, clean ok, mount ok")
        #expect(disk.get("rows") == "secret\n")
        disk.unmount()
        var again = disk.partition()
        again.resetToken = "A1"
        #expect(try again.bringUp().rungs == "clean ok, mount ok")
    }

    @Test func isRefusedForAnotherKindOfFilesystem() throws {
        let disk = try LoopDisk()
        try shell("mkswap \(disk.device)").output()
        let before = try disk.checksum()
        var partition = disk.partition()
        partition.resetToken = "A1"
        #expect(throws: DataPartitionError.self) { try partition.requestReset(reason: "firstlightctl") }
        #expect(throws: DataPartitionError.self) { try partition.bringUp() }
        #expect(try disk.checksum() == before)
    }

    // ---- A filesystem that reaches to the partition's end ----

    @Test(arguments: ["announced", "overwritten", "erased", "announced mkfs", "made"])
    func finishesAResetOfAFilesystemWithoutATail(_ stage: String) throws {
        let disk = try foreignDisk()
        var first = disk.partition()
        _ = try first.bringUp()
        try first.requestReset(reason: "firstlightctl")
        #expect(disk.get("rows") == "secret\n")
        disk.unmount()
        var second = disk.partition(cutAt: stage)
        second.isDiscarding = false
        second.overwriteNote = 16 << 20
        #expect(throws: DataPartitionError.self) { try second.bringUp() }

        var third = disk.partition()
        let report = try third.bringUp()
        #expect(report.rungs == "resume ok, wipe ok, mount ok" && report.wiped && report.resets == 1)
        #expect(disk.get("rows") == nil)
        disk.unmount()
        #expect(try disk.read(Int(Tail.headCount), at: 0).allSatisfy { $0 == 0 })
        for place in SuperblockPlace.backups(on: 64 << 20) where place.blockSize == 1024 {
            #expect(try !Superblock.hasMagic(disk.read(1024, at: place.offset)), "block \(place.block)")
        }
        #expect(try disk.record().intent == nil)
    }

    /// A discard that was cut short: the first MiB is gone, and the backups bring the rest back (RULES.md F13).
    @Test func whatADiscardLeftDoesNotComeBack() throws {
        let disk = try foreignDisk()
        var first = disk.partition(cutAt: "announced")
        #expect(throws: DataPartitionError.self) { try first.wipe(reason: "button") }
        try disk.write([UInt8](repeating: 0, count: (1 << 20) - 4096), at: 4096)
        try disk.write([UInt8](repeating: 0, count: 3072), at: 1024)
        // Without the record it would.
        try shell("cp --sparse=always \(disk.image) \(disk.image).copy && e2fsck -f -y -b 8193 -B 1024 \(disk.image).copy; [ $? -le 3 ]").output()
        #expect(shell("debugfs -R 'cat /rows' \(disk.image).copy 2>/dev/null; debugfs -R 'ls /lost+found' \(disk.image).copy 2>/dev/null").text != "")
        var second = disk.partition()
        #expect(try second.bringUp().rungs == "resume ok, wipe ok, mount ok")
        #expect(listing(disk) == "./lost+found")
    }

    /// What an application writes at the end of a filesystem that reaches there is no order of ours.
    @Test func believesNoFileContentsAtThePartitionsEnd() throws {
        let disk = try foreignDisk()
        var forged = TailRecord()
        forged.sequence = 1_000_000
        forged.intent = TailRecord.Intent(operation: .wipe, stage: .erase, reason: "application")
        for slot: Int64 in 0...1 { try disk.write(Tail.encode(forged), at: Tail.offset(ofSlot: slot, on: 64 << 20)) }
        var first = disk.partition()
        #expect(try first.bringUp().rungs == "clean ok, mount ok")
        #expect(disk.get("rows") == "secret\n")
        disk.unmount()
        // Nor with the superblock gone, while a backup says how far it reaches.
        try disk.write([UInt8](repeating: 0, count: 1024), at: 1024)
        var second = disk.partition()
        #expect(try second.bringUp().rungs == "backup-superblock fixed, mount ok")
        #expect(disk.get("rows") == "secret\n")
    }

    // ---- Overwriting ----

    @Test func overwritesWhereNothingCanBeDiscardedAndGoesOnWhereItWas() throws {
        let disk = try disk("for i in $(seq 200); do echo secret-$i-of-the-customer > rows-$i; done")
        let search = "grep -c -a secret-[0-9]*-of-the-customer \(disk.image)"
        #expect(shell(search).text != "0")
        var first = disk.partition(cutAt: "overwritten")
        first.isDiscarding = false
        first.overwriteNote = 16 << 20
        #expect(throws: DataPartitionError.self) { try first.wipe(reason: "button") }
        #expect(try disk.record().erased == 16 << 20)
        // Beyond it is what the next boot has to erase; before it, nothing is touched again.
        try disk.write(Array("secret-1-of-the-customer".utf8), at: 8 << 20)
        try disk.write(Array("secret-2-of-the-customer".utf8), at: 40 << 20)
        var second = disk.partition()
        second.isDiscarding = false
        #expect(try second.bringUp().wiped)
        disk.unmount()
        #expect(shell("sync \(disk.device); \(search)").text == "1")
        #expect(try disk.record().erased == 0)
    }

    // ---- By files ----

    private static let tree = """
        mkdir -p app identity keys/old keys/new other && echo rows > app/app.db && echo me > identity/serial && echo a > keys/new/key && echo b > keys/old/key \
        && echo c > keys/list && echo junk > junk && echo boots > .firstlight-boots && touch other/"$(printf 'no\\377utf8')" && chmod 0 other
        """

    private func keeping(_ settings: inout DataSettings) { settings.preserve = [["identity"], ["keys", "new"], ["none"]] }

    @Test(arguments: [nil, "removed"]) func keepsWhatIsToBePreserved(_ stage: String?) throws {
        let disk = try disk(Self.tree)
        let uuid = shell("dumpe2fs -h \(disk.device) 2>/dev/null | grep created").text
        var first = disk.partition(nil, keeping)
        _ = try first.bringUp()
        try first.requestReset(reason: "firstlightctl")
        disk.unmount()
        if stage != nil {
            var cut = disk.partition(nil, cutAt: stage, keeping)
            #expect(throws: DataPartitionError.self) { try cut.bringUp() }
            #expect(disk.get("junk") == nil)
            disk.unmount()
            #expect(try disk.record().request == "firstlightctl")
        }
        var second = disk.partition(nil, keeping)
        let report = try second.bringUp()
        #expect(report.wiped && !report.formatted && report.resets == 1)
        #expect(listing(disk) == "./identity ./identity/serial ./keys ./keys/new ./keys/new/key ./lost+found")
        disk.unmount()
        #expect(shell("dumpe2fs -h \(disk.device) 2>/dev/null | grep created").text == uuid)
        var third = disk.partition(nil, keeping)
        #expect(try third.bringUp().rungs == "clean ok, mount ok")
    }

    @Test func theButtonKeepsItToo() throws {
        let disk = try disk(Self.tree)
        var first = disk.partition(nil, keeping)
        try first.wipe(reason: "button")
        #expect(try first.bringUp().wiped)
        #expect(disk.get("identity/serial") == "me\n" && disk.get("app/app.db") == nil)
    }

    /// A power cut between the request and its end, however often.
    @Test func goesOnUntilItIsDone() throws {
        let disk = try disk(Self.tree)
        var first = disk.partition(nil, keeping)
        try first.requestReset(reason: "firstlightctl")
        // Half of it is gone, and the power with it.
        shell("mount \(disk.device) \(disk.mount) && rm -r \(disk.mount)/app")
        try disk.cutPower()
        var second = disk.partition(nil, keeping)
        #expect(try second.bringUp().wiped)
        #expect(listing(disk) == "./identity ./identity/serial ./keys ./keys/new ./keys/new/key ./lost+found")
    }

    @Test func removesTheDatabasesAlone() throws {
        let disk = try disk("""
            mkdir -p app/.firstlight/app/snapshots app/.firstlight/other && echo rows > app/app.db && echo w > app/app.db-wal && echo s > app/.firstlight/app/snapshots/1 \
            && echo o > app/.firstlight/other/born && echo p > app/picture && echo j > junk && printf 'SQLite format 3\\000' > 'lost+found/#12' && echo t > 'lost+found/#13'
            """)
        func only(_ settings: inout DataSettings) {
            settings.reset = .database
            settings.databases = ["\(disk.mount)/app/app.db", "\(disk.mount)/none/none.db", "/elsewhere/x.db"]
        }
        var first = disk.partition(nil, only)
        try first.wipe(reason: "button")
        let report = try first.bringUp()
        #expect(report.wiped && !report.formatted && report.resets == 1)
        #expect(listing(disk) == "./app ./app/.firstlight ./app/.firstlight/other ./app/.firstlight/other/born ./app/picture ./junk ./lost+found ./lost+found/#13")
    }

    @Test func removesTheDatabasesOfAMountPointThatIsUsedAsItIs() throws {
        let disk = try LoopDisk()
        func only(_ settings: inout DataSettings) {
            settings.device = .none
            settings.reset = .database
            settings.databases = ["\(disk.mount)/app/app.db"]
        }
        shell("cd \(disk.mount) && mkdir app && echo rows > app/app.db && echo p > app/picture")
        var first = disk.partition(nil, only)
        first.resetToken = "A1"
        #expect(try first.bringUp().wiped)
        #expect(listing(disk) == "./\(DataPartition.recordName) ./app ./app/picture")
        shell("echo rows > \(disk.mount)/app/app.db")
        var second = disk.partition(nil, only)
        second.resetToken = "A1"
        let report = try second.bringUp()
        #expect(!report.wiped && report.resets == 1 && disk.get("app/app.db") == "rows\n")
        // Its directory is somebody else's: root writes nothing there.
        shell("chmod 777 \(disk.mount)")
        var third = disk.partition(nil, only)
        third.resetToken = "B2"
        #expect(try third.bringUp().rungs == "mount ok, wipe failed")
        #expect(disk.get("app/app.db") == "rows\n")
    }

    /// Asked for while the configuration was right, or by the kernel's command line: what is not understood of it now may be what must not go.
    @Test func isRefusedByFilesToo() throws {
        for isToken in [false, true] {
            let disk = try disk(Self.tree)
            var first = disk.partition(nil, keeping)
            if !isToken { try first.requestReset(reason: "firstlightctl") }
            var second = disk.partition {
                keeping(&$0)
                $0.resetMistake = "[data] preserve: /elsewhere"
            }
            if isToken { second.resetToken = "A1" }
            #expect(try second.bringUp().rungs == "wipe refused, clean ok, mount ok")
            #expect(disk.get("junk") == "junk\n")
            disk.unmount()
            #expect(try disk.record().request == nil)
        }
    }

    /// The record of another's filesystem lies in the superblock's block, which the journal would bring back as it was.
    @Test func keepsFilesOfAFilesystemWithoutATail() throws {
        let disk = try LoopDisk()
        try shell("mkfs.ext4 -q -F -b 4096 \(disk.device) && mount \(disk.device) \(disk.mount) && cd \(disk.mount) && \(Self.tree)").output()
        disk.unmount()
        var first = disk.partition(nil, keeping)
        _ = try first.bringUp()
        try first.requestReset(reason: "firstlightctl")
        disk.unmount()
        var second = disk.partition(nil, keeping)
        #expect(try second.bringUp().wiped)
        #expect(disk.isMounted && disk.get("identity/serial") == "me\n" && disk.get("junk") == nil)
        // The power goes right behind it.
        try disk.cutPower()
        disk.put("rows", "new")
        for _ in 1...2 {
            var later = disk.partition(nil, keeping)
            #expect(try !later.bringUp().wiped)
            disk.put("rows", "new")
            disk.unmount()
        }
        // One that cannot be mounted again behind it is not called mounted.
        var third = disk.partition(nil, keeping)
        try third.requestReset(reason: "firstlightctl")
        let device = disk.device
        third.afterStage = { (stage) throws(DataPartitionError) in if stage == "removed" { shell("blockdev --setro \(device)") } }
        #expect(throws: DataPartitionError.self) { try third.bringUp() }
        #expect(!disk.isMounted)
        shell("blockdev --setrw \(device)")
    }

    /// A repair by force and a reset in one boot: what was read before the repair does not come back behind the reset.
    @Test func whatWasRescuedIsErasedToo() throws {
        let disk = try disk(Self.tree)
        func keeping(_ settings: inout DataSettings) {
            settings.preserve = [["identity"]]
            settings.databases = ["\(disk.mount)/app/app.db"]
        }
        var first = disk.partition(nil, keeping)
        try first.requestReset(reason: "firstlightctl")
        let script = disk.folder + "/e2fsck"
        try FileSystem.replace(script, with: "#!/bin/sh\ncase \" $* \" in *\\ -y\\ *) exit 1;; esac\nexit 4\n", durable: false, permissions: 0o755)
        try shell("debugfs -w -R 'ssv state 0' \(disk.device)").output()
        var second = disk.partition(nil, keeping)
        second.checkPrograms = [script]
        let report = try second.bringUp()
        // Nor is it a loss of the repair's.
        #expect(report.wiped && !report.repaired)
        #expect(try !disk.record().repaired)
        second.putBackLost(second.settings.databases)
        #expect(second.actions.rungs == "preen failed, repair fixed, mount ok, wipe ok")
        #expect(disk.get("identity/serial") == "me\n" && disk.get("app/app.db") == nil)
    }

    /// A file that nobody can remove must not have everything else erased at every boot from now on.
    @Test func aResetThatCannotEndIsGivenUp() throws {
        let disk = try disk(Self.tree)
        var first = disk.partition(nil, keeping)
        _ = try first.bringUp()
        try first.requestReset(reason: "firstlightctl")
        try shell("chattr +i \(disk.mount)/junk").output()
        disk.unmount()
        for boot in 1...4 {
            var partition = disk.partition(nil, keeping)
            let report = try partition.bringUp()
            #expect(!report.wiped && disk.get("identity/serial") == "me\n" && disk.get("junk") == "junk\n")
            #expect((disk.get("rows") == nil) == (boot <= 3), "boot \(boot)")
            disk.put("rows", "new")
            disk.unmount()
        }
        shell("mount \(disk.device) \(disk.mount) && chattr -i \(disk.mount)/junk")
    }

    /// What an earlier life of the card has left in the last MiB counts for nothing, also once the filesystem that reached there is erased.
    @Test func anOldTailDoesNotOutrankTheHead() throws {
        let disk = try foreignDisk()
        var old = TailRecord()
        old.sequence = 500
        for slot: Int64 in 0...1 {
            old.sequence += 1
            try disk.write(Tail.encode(old), at: Tail.offset(ofSlot: slot, on: 64 << 20))
        }
        var first = disk.partition(cutAt: "erased")
        #expect(throws: DataPartitionError.self) { try first.wipe(reason: "button") }
        #expect(try disk.record().intent?.operation == .wipe)
        var second = disk.partition()
        #expect(try second.bringUp().rungs == "resume ok, wipe ok, mount ok")
    }

    // ---- What the application's user may have planted (RULES.md B7) ----

    @Test func followsNothingThatWasPlanted() throws {
        let disk = try disk("mkdir app identity")
        let outside = disk.folder + "/outside"
        shell("mkdir -p \(outside)/snapshots && echo mine > \(outside)/file && echo mine > \(outside)/snapshots/1")
        var partition = disk.partition(nil, keeping)
        _ = try partition.bringUp()
        // Links out of it, a second name of a kept file, what would hang who opens it, and devices.
        shell("""
            cd \(disk.mount); echo me > identity/serial; ln identity/serial app/serial; ln -s \(outside) app/.firstlight; ln -s \(outside)/file app/app.db; \
            ln -s / root; mkfifo app/fifo; mknod app/null c 1 3; mknod app/disk b 7 0; touch app/"$(printf 'a\\nb\\377')"
            """)
        try partition.requestReset(reason: "firstlightctl")
        disk.unmount()
        var second = disk.partition(nil, keeping)
        #expect(try second.bringUp().wiped)
        #expect(listing(disk) == "./identity ./identity/serial ./lost+found")
        #expect(disk.get("identity/serial") == "me\n")
        #expect(shell("cd \(outside) && find . -type f | sort | tr '\\n' ' '").text == "./file ./snapshots/1")
    }

    @Test func removesADatabaseWhereLinksAreInItsPlace() throws {
        let disk = try disk("mkdir app")
        let outside = disk.folder + "/outside"
        shell("mkdir -p \(outside)/app && echo mine > \(outside)/app/1 && echo mine > \(outside)/file")
        func only(_ settings: inout DataSettings) {
            settings.reset = .database
            settings.databases = ["\(disk.mount)/app/app.db", "\(disk.mount)/link/app.db"]
        }
        var partition = disk.partition(nil, only)
        _ = try partition.bringUp()
        shell("cd \(disk.mount); ln -s \(outside)/file app/app.db; ln -s \(outside) app/.firstlight; mkfifo app/app.db-wal; mkdir app/app.db-shm; ln -s \(outside) link")
        let (removed, text) = try partition.removeDatabases()
        #expect(removed == 4)
        #expect(text == "all else kept; left: what the link \(disk.mount)/app/app.db leads to; left: \(disk.mount)/link/app.db lies behind a symbolic link")
        #expect(listing(disk) == "./app ./link ./lost+found")
        #expect(shell("cd \(outside) && find . -type f | sort | tr '\\n' ' '").text == "./app/1 ./file")
    }

    @Test func entersNoOtherMount() throws {
        let disk = try disk("mkdir -p app/.firstlight/app identity")
        let outside = disk.folder + "/outside"
        shell("mkdir -p \(outside)/app && echo mine > \(outside)/app/1")
        // Another filesystem, and another place of the same one.
        for source in [outside, "\(disk.mount)/identity"] {
            func only(_ settings: inout DataSettings) {
                settings.reset = .database
                settings.databases = ["\(disk.mount)/app/app.db"]
            }
            var partition = disk.partition(nil, only)
            _ = try partition.bringUp()
            shell("mkdir -p \(disk.mount)/identity/app && echo me > \(disk.mount)/identity/app/serial; mount --bind \(source) \(disk.mount)/app/.firstlight")
            #expect(throws: LinuxError.self) { try partition.removeDatabases() }
            var removal = try TreeRemoval(below: FileDescriptor.open(disk.mount + "/app", .directory))
            removal.removeAll(keeping: [])
            #expect(removal.failure?.code == EXDEV)
            shell("umount \(disk.mount)/app/.firstlight")
            #expect(shell("cat \(outside)/app/1 \(disk.mount)/identity/app/serial").text == "mine\nme")
            disk.unmount()
        }
    }

    @Test func removesWhatIsNestedDeeperThanDescriptorsReach() throws {
        let disk = try disk()
        var partition = disk.partition()
        _ = try partition.bringUp()
        // Deeper than a path may be long, with a name of ours in the way.
        shell("cd \(disk.mount) && mkdir .firstlight-removed-1 && touch .firstlight-removed-2 && for i in $(seq 2000); do mkdir d && cd d; done; touch bottom")
        var removal = try TreeRemoval(below: FileDescriptor.open(disk.mount, .directory))
        removal.removeAll(keeping: [[LostAndFound.directoryName]])
        #expect(removal.failure == nil && removal.removed >= 2004)
        #expect(listing(disk) == "./lost+found")
    }

    /// Somebody swaps a directory for a link while root removes what is in it.
    @Test func aDirectorySwappedMeanwhileIsNotFollowed() throws {
        let disk = try disk()
        let outside = disk.folder + "/outside"
        shell("mkdir \(outside); for i in $(seq 50); do echo mine > \(outside)/f$i; done")
        var partition = disk.partition()
        _ = try partition.bringUp()
        let (victim, link) = ("\(disk.mount)/victim", "\(disk.mount)/link")
        for _ in 0..<4 {
            shell("mkdir -p \(victim) && cd \(victim) && for i in $(seq 600); do : > f$i; done; ln -sfn \(outside) \(link)")
            var isSwapped = false
            var removal = try TreeRemoval(below: FileDescriptor.open(disk.mount, .directory)) { _ in
                // Amid the directory: its name leads elsewhere from now on.
                if !isSwapped { isSwapped = true; _ = rename(victim, victim + "-away"); _ = rename(link, victim) }
            }
            removal.removeAll(keeping: [[LostAndFound.directoryName]])
            #expect(isSwapped)
            #expect(try FileSystem.list(outside).count == 50)
            shell("rm -rf \(victim) \(victim)-away \(link)")
        }
    }
}
