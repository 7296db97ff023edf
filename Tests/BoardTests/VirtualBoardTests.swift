#if Lab
import Foundation
import Testing
import VirtualBoard

/// The virtual board by itself, with firmware that has no Firstlight: what story and desk measure with is measured here.
@Suite(.serialized) struct VirtualBoardTests {
    private let scratch: Scratch
    private let images: BoardImages
    private let bare: Firmware
    private let board: VirtualBoard

    init() throws {
        let build = ProcessInfo.processInfo.environment["FIRSTLIGHT_BUILD"] ?? "build"
        scratch = try Scratch()
        images = try BoardImages(URL(fileURLWithPath: build).appendingPathComponent("board"))
        bare = try Firmware(images).removing("/etc/init.d/S15firstlight")
        board = VirtualBoard(in: scratch)
    }

    /// The kernel's number for line 0 of the PL061.
    private func gpioBase() throws -> Int {
        let look = "cd /sys/class/gpio && for c in gpiochip*; do grep -q pl061 $c/label && cat $c/base; done"
        return try #require(Int(board.console.run(look).output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    @Test func theButtonIsUpUntilItIsPressed() throws {
        try board.powerOn(bare, disk: nil)
        defer { board.cutPower() }
        let line = try gpioBase() + 2
        let look = "cat /sys/class/gpio/gpio\(line)/value"
        #expect(try board.console.run("echo \(line) > /sys/class/gpio/export; \(look)").output == "1\n")
        try board.pressButton()
        #expect(try board.console.run(look).output == "0\n")
        try board.releaseButton()
        #expect(try board.console.run(look).output == "1\n")
    }

    @Test func seesALightThatTheBoardBlinksAndNamesItsPattern() throws {
        try board.powerOn(bare, disk: nil)
        defer { board.cutPower() }
        let line = try gpioBase() + 5
        let light = "/sys/class/gpio/gpio\(line)"
        #expect(try board.console.run("echo \(line) > /sys/class/gpio/export; echo out > \(light)/direction").code == 0)
        #expect(board.light.edges.isEmpty && board.light.current == .dark)
        // A little less than 400/100: the shell itself takes some milliseconds.
        board.console.type("while :; do echo 1 >\(light)/value; usleep 393000; echo 0 >\(light)/value; usleep 93000; done &\n")
        #expect(board.light.wait(for: .recovering, seconds: 10), "\(board.light.segments)")
        board.cutPower()
        #expect(!board.isOn && !board.light.isOn && board.light.current == .dark)
    }

    @Test func aCommandsOutputIsWholeThoughTheKernelTalksInBetween() throws {
        try board.powerOn(bare, disk: nil)
        defer { board.cutPower() }
        let chatter = "(for i in $(seq 30); do echo \"<3>message $i\" >/dev/kmsg; usleep 10000; done) & "
        let (output, code) = try board.console.run(chatter + "seq 1 3000; echo error >&2; exit 3")
        #expect(code == 3)
        #expect(output == (1...3000).map { "\($0)\n" }.joined() + "error\n")
        #expect(board.console.transcript.contains("] message 30"))
    }

    @Test func whatWasSyncedOutlivesAPowerCutAndWhatWasNotDoesNot() throws {
        let disk = try DataDisk(blank: images, in: scratch)
        try board.powerOn(bare.adding("/etc/words", "as added\n"), disk: disk)
        defer { board.cutPower() }
        #expect(try board.console.run("ls /etc/init.d/S15firstlight; cat /etc/words").output.hasSuffix("\nas added\n"))
        #expect(try board.bytesWritten() == 0)
        let work = "mkdir /data; /usr/sbin/mke2fs -q -t ext4 -b 4096 /dev/vda1 && mount -t ext4 /dev/vda1 /data && "
            + "echo kept > /data/kept && sync && echo lost > /data/lost"
        let (output, code) = try board.console.run(work)
        #expect(code == 0, "\(output)")
        #expect(try board.bytesWritten() > 100_000)
        board.cutPower()

        #expect(try disk.list("/").sorted() == ["kept", "lost+found"])
        #expect(try Data(contentsOf: disk.read("/kept")) == Data("kept\n".utf8))
        try disk.overwrite(["/kept"])
        let noise = try Data(contentsOf: disk.read("/kept"))
        #expect(noise.count == 5 && noise != Data("kept\n".utf8))
        #expect(throws: BoardError.self) { try disk.read("/lost") }
        try board.powerOn(bare, disk: disk)
        try board.powerOff()
        #expect(!board.isOn)
    }

    @Test func powersOffBehindALoginPromptIfRootIsLetIn() throws {
        let getty = bare.adding("/bin/login", "#!/bin/sh\nexec busybox login \"$@\"\n", mode: 0o755).adding(
            "/etc/inittab",
            """
            ::sysinit:/bin/mount -t proc proc /proc
            ttyAMA0::respawn:/sbin/getty -L ttyAMA0 115200 vt100
            """)
        try board.powerOn(getty, disk: nil)
        defer { board.cutPower() }
        try board.powerOff()
        #expect(board.console.transcript.contains("login: root"))

        try board.powerOn(getty.adding("/etc/passwd", "root:!:0:0:root:/root:/bin/sh\n"), disk: nil)
        #expect {
            try board.powerOff()
        } throws: { error in
            "\(error)".contains("root cannot log in at the console: Login incorrect")
        }
    }

    @Test func whoWaitsForABoardThatWentOffIsToldSo() throws {
        try board.powerOn(bare.adding("/etc/inittab", "::sysinit:/sbin/poweroff -f\n"), disk: nil)
        #expect {
            try board.waitForReady(seconds: 60)
        } throws: { error in
            "\(error)" == "the board went off before it was ready"
        }
    }

    @Test func anOldDevicesDiskIsCleanAndEndsBeforeItsPartition() throws {
        let file = scratch.file("old.db")
        try HostTool.run(["sqlite3", file.path, "CREATE TABLE t(x); INSERT INTO t VALUES (42);"])
        let disk = try DataDisk(images, database: file, in: scratch)
        #expect(try Data(contentsOf: disk.read("/app/app.db")) == Data(contentsOf: file))
        try board.powerOn(bare, disk: disk)
        defer { board.cutPower() }
        let look = """
            e2fsck -fn /dev/vda1 > /dev/null 2>&1; echo $?; mkdir /data; mount -t ext4 /dev/vda1 /data; cd /data; \
            stat -c '%u:%g' . app app/app.db; cd /; umount /data; tail -c 1048576 /dev/vda1 | tr -d '\\000' | wc -c; \
            dumpe2fs -h /dev/vda1 2> /dev/null | grep '^Block count'
            """
        let output = try board.console.run(look).output
        #expect(output == "0\n0:0\n1000:1000\n1000:1000\n0\nBlock count:              32000\n")
    }
}
#endif
