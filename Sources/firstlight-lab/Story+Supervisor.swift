#if Lab
import Foundation
import VirtualBoard

/// The front panel while the appliance runs, and what becomes of it when processes are lost or hang: the third part of the story.
extension Story {
    func playSupervisor() throws {
        try playPanel()
        try playLostProcesses()
    }

    private func playPanel() throws {
        scene("from exec to the LED's first edge: at most 50 ms") {
            // The kernel's LED says when exec comes.
            let script = """
                #!/bin/sh
                [ "$1" = start ] || exit 0
                ( echo 1 > /sys/class/leds/status/brightness; exec /usr/sbin/firstlightd ) &
                sleep 0.5
                firstlightctl wait --timeout 60s
                """
            let firmware = workshop.firmware.adding("/etc/init.d/S15firstlight", script, mode: 0o755)
            // A host with other things to do makes it late, never early.
            var times: [Int] = []
            while true {
                try board.powerOn(firmware, disk: try workshop.blankDisk())
                guard let first = board.light.waitForFirstEdge(seconds: 60), let exec = board.kernelLight.waitForFirstEdge(seconds: 1) else {
                    throw Deviation("a LED stays dark")
                }
                times.append(Int(first - exec))
                let seen = try finishBoot("migrated", .solid)
                board.cutPower()
                if first - exec <= 50 { return seen }
                try expect(times.count < 3, "the LED was lit \(times) ms after exec")
            }
        }
        scene("led:status: the kernel blinks, whatever becomes of us") {
            let firmware = firmware("[light]\nline = led:status\nerror = gpiochip0:5\n", of: workshop.brokenFirmware)
            try board.powerOn(firmware, disk: try workshop.oldDisk())
            guard board.kernelLight.wait(for: .working, seconds: 60) else { throw Deviation("led:status never showed working") }
            guard board.console.wait(for: "firstlightd: ready: restored", seconds: 90) != nil else { throw Deviation("not restored in 90 s") }
            try expect(board.kernelLight.wait(for: .blinks(2), seconds: 15), "led:status shows \(board.kernelLight.current?.description ?? "no pattern")")
            for signal in ["STOP", "KILL"] {
                try board.console.run("kill -\(signal) $(cat /var/run/firstlightd.pid)")
                Thread.sleep(forTimeInterval: 6)
                let shown = board.kernelLight.current
                try expect(shown == .blinks(2), "behind SIG\(signal) led:status shows \(shown?.description ?? "no pattern")")
                try expect(board.light.isOn, "behind SIG\(signal) the error line is dark")
            }
            let seen = try observe("restored", .blinks(2), on: board.kernelLight)
            board.cutPower()
            return seen
        }
        scene("held for 4.9 s: nothing; for 5.1 s: reset by the next boot") {
            let old = try workshop.oldDisk()
            _ = try boot(workshop.firmware, old, expecting: "migrated", .solid)
            try board.console.waitForShell(seconds: 30)
            try hold(4.9)
            try expect(board.light.wait(for: .solid, seconds: 5) && board.isOn, "4.9 s did something")
            try expect(!board.console.transcript.contains("factory reset"), "4.9 s asked for a factory reset")
            let before = board.light.milliseconds
            try hold(5.1)
            try expect(board.waitForEnd(seconds: 30), "the board did not reboot")
            try expect(board.light.segments.contains { $0.pattern == .held && $0.to > before }, "the LED never flickered: \(board.light.segments)")
            try expectReadings(old, OldDevice.readings)
            let seen = try boot(workshop.firmware, old, expecting: "migrated", .solid)
            try expect(actions(seen).first == "wipe: ok", "no reset first among \(actions(seen))")
            try board.powerOff()
            try expectReadings(old, 0)
            return seen
        }
        scene("held during a migration: shown, done behind it") {
            let old = try workshop.oldDisk()
            // Long enough for a finger.
            try board.powerOn(workshop.slowFirmware, disk: old)
            guard board.console.wait(for: "step 1 of 9: ", seconds: 60) != nil else { throw Deviation("no first step") }
            let pressed = Date()
            try board.moveButton(down: true, bouncing: [1, 4, 2, 9])
            try expect(board.light.wait(for: .held, seconds: 4), "the LED shows \(board.light.current?.description ?? "no pattern")")
            Thread.sleep(forTimeInterval: 5.3 - Date().timeIntervalSince(pressed))
            try board.moveButton(down: false, bouncing: [3, 1, 12])
            let held = board.light.milliseconds
            guard let said = board.console.wait(for: "firstlightd: ready: ", seconds: 120) else { throw Deviation("not ready in 120 s") }
            try expect(board.light.milliseconds - held > 500, "the migration was over before the button was")
            try expect(said.hasPrefix("migrated,"), "the migration ended as \(said)")
            try expect(board.waitForEnd(seconds: 30), "the board did not reboot")
            try expectReadings(old, OldDevice.readings)
            let seen = try boot(workshop.firmware, old, expecting: "migrated", .solid)
            try board.powerOff()
            try expectReadings(old, 0)
            return seen
        }
        scene("press = identify; firstlightctl light") {
            _ = try boot(firmware("[button]\npress = identify\n"), try workshop.blankDisk(), expecting: "migrated", .solid)
            try board.moveButton(down: true, bouncing: [2, 1])
            Thread.sleep(forTimeInterval: 0.3)
            try board.releaseButton()
            try expect(board.light.wait(for: .identify, seconds: 10), "the LED does not identify itself")
            try board.console.run("firstlightctl light 400/100")
            try expect(board.light.wait(for: .recovering, seconds: 20), "the application's pattern is not seen behind it")
            try board.console.run("firstlightctl light release")
            // Who may ask: the group, by the kernel's word, and nobody else.
            let asked = try board.console.run("for u in app nobody; do su -s /bin/sh $u -c 'firstlightctl identify'; echo $?; done").output
            try expect(asked.hasPrefix("the LED shows it for 15 s\n0\n") && asked.contains("only root and the group") && asked.hasSuffix("\n1\n"), "app and nobody hear \(asked)")
            try expect(board.light.wait(for: .solid, seconds: 20), "the LED does not go back to its status")
            let seen = try observe("migrated", .solid, on: board.light)
            try board.powerOff()
            return seen
        }
        scene("a wipe and a repair that take long: heartbeat, 400/100") {
            let old = try workshop.oldDisk()
            try board.powerOn(workshop.firmware, disk: old, buttonDown: true)
            guard board.light.waitForFirstEdge(seconds: 60) != nil else { throw Deviation("the LED stays dark") }
            Thread.sleep(forTimeInterval: 5.5)
            try board.hangDisk(true)
            try board.releaseButton()
            try expect(board.light.wait(for: .wiping, seconds: 10), "amid a wipe the LED shows \(board.light.current?.description ?? "no pattern")")
            // Pressed amid it, twice, and for long: it means nothing.
            try hold(0.3)
            try hold(5.2)
            try expect(board.light.wait(for: .wiping, seconds: 5), "a press amid a wipe means something: \(board.light.segments)")
            try board.hangDisk(false)
            _ = try finishBoot("migrated", .solid)
            try board.powerOff()
            try expectReadings(old, 0)

            let damaged = try workshop.oldDisk()
            try damaged.clearJournalInode()
            let slow = "#!/bin/sh\ncase \"$*\" in *-y*) sleep 4;; esac\nexit 4\n"
            try board.powerOn(workshop.firmware.adding("/usr/sbin/e2fsck", slow, mode: 0o755), disk: damaged)
            try expect(board.light.wait(for: .recovering, seconds: 30), "amid a repair the LED shows \(board.light.current?.description ?? "no pattern")")
            let seen = try finishBoot("migrated", .solid)
            try board.powerOff()
            try expectReadings(damaged, OldDevice.readings)
            return seen
        }
        scene("key:RESTART held; the reset is refused: five blinks") {
            let firmware = firmware("[button]\nline = key:RESTART\n[data]\nformat = never\n")
            _ = try boot(firmware, try workshop.oldDisk(), expecting: "migrated", .solid)
            try board.moveKey(down: true)
            Thread.sleep(forTimeInterval: 5.1)
            try board.moveKey(down: false)
            try expect(board.light.wait(for: .blinks(5), seconds: 12), "the LED shows \(board.light.current?.description ?? "no pattern")")
            let seen = try observe("migrated", .solid, on: board.light)
            try expect(board.isOn && board.console.transcript.contains("format = never, so it may not be formatted"), "no reason is given")
            try board.powerOff()
            return seen
        }
        if isFull { playStuckButton() }
    }

    private func playStuckButton() {
        scene("a button that is down for more than 30 s: stuck") {
            _ = try boot(workshop.firmware, try workshop.blankDisk(), expecting: "migrated", .solid)
            try board.pressButton()
            Thread.sleep(forTimeInterval: 32)
            let told = try board.console.run("cat /run/firstlight/status.json").output
            try expect(told.contains("\"state\": \"stuck\"") && told.contains("taken for stuck"), "the status says \(told)")
            let seen = try observe("migrated", .solid, on: board.light)
            try board.releaseButton()
            try board.powerOff()
            try expect(!board.console.transcript.contains("factory reset"), "a stuck button asked for a factory reset")
            return seen
        }
    }

    /// Killed, stopped, hung: each of the processes in turn. Watched by the hardware's watchdog, which must reset the board for the supervisor and for
    /// nobody else.
    private func playLostProcesses() throws {
        let watched = "[watchdog]\ndevice = /dev/watchdog0\ntimeout = 5s\n"

        scene("kill -9 of the supervisor amid migrations: goes on from there") {
            let old = try workshop.oldDisk()
            let seen = try boot(
                firmware("", fault: "step 3 of 8", "kill -9 $supervisor"), old, expecting: "migrated", .solid)
            let warnings = seen.status["warnings"] as? [String] ?? []
            try expect(warnings.contains { $0.contains("lost before READY and started again") }, "the status says \(warnings)")
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            return seen
        }
        scene("kill -9 of the partition's worker: once more") {
            let seen = try boot(firmware("", fault: ", SQLite ", "kill -9 $worker"), try workshop.oldDisk(), expecting: "migrated", .solid)
            let warnings = seen.status["warnings"] as? [String] ?? []
            try expect(warnings.contains { $0.contains("checking and mounting the partition: its worker ended with signal 9") }, "the status says \(warnings)")
            try board.powerOff()
            return seen
        }
        scene("kill -9 of the database's worker: the old schema") {
            let old = try workshop.oldDisk()
            let seen = try boot(firmware("", fault: "step 3 of 8", "kill -9 $worker"), old, expecting: "restored", .blinks(2))
            try expect((seen.repository["reason"] as? String ?? "").contains("signal 9"), "the reason is \(seen.repository["reason"] ?? "none")")
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            return seen
        }
        scene("a worker stopped amid migrations: LED in time, no reset") {
            let old = try workshop.oldDisk()
            let firmware = firmware("[boot]\nstall = 12s\n" + watched, fault: "step 3 of 8", "kill -STOP $worker; echo stopped > /dev/kmsg")
            // A host with other things to do moves edges, never back into their time.
            var late: [Int] = []
            while true {
                try board.powerOn(firmware, disk: old, watchdog: true)
                guard board.console.wait(for: "stopped", seconds: 60) != nil else { throw Deviation("no worker was stopped") }
                Thread.sleep(forTimeInterval: 10)
                late.append(Int(jitter(board.light.edges.suffix(40), period: 200).rounded(.up)))
                let seen = try finishBoot("restored", .blinks(2))
                try board.powerOff()
                try expectReadings(old, OldDevice.readings)
                if late.last! <= 20 { return seen }
                try expect(late.count < 3, "edges were \(late) ms off their time")
            }
        }
        scene("the disk hangs amid migrations: READY all the same") {
            let old = try workshop.oldDisk()
            let firmware = firmware("[boot]\nstall = 6s\n" + watched)
            try board.powerOn(firmware, disk: old, watchdog: true)
            guard board.console.wait(for: "step 3 of 8: ", seconds: 60) != nil else { throw Deviation("no third step") }
            try board.hangDisk(true)
            let seen = try finishBoot("failed", .blinks(5))
            try expect((seen.repository["reason"] as? String ?? "").contains("hangs in the kernel"), "the reason is \(seen.repository["reason"] ?? "none")")
            board.cutPower()
            _ = try boot(workshop.firmware, old, expecting: "migrated", .solid)
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            return seen
        }
        scene("the disk hangs as it is formatted: in RAM") {
            try board.powerOn(firmware("[boot]\nstall = 4s\n" + watched), disk: try workshop.blankDisk(), watchdog: true)
            try board.hangDisk(true)
            let seen = try finishBoot("volatile", .blinks(4))
            board.cutPower()
            return seen
        }
        scene("the supervisor stopped: reset by the watchdog") {
            let disk = try workshop.blankDisk()
            let firmware = firmware(watched)
            try board.powerOn(firmware, disk: disk, watchdog: true)
            _ = try finishBoot("migrated", .solid)
            Thread.sleep(forTimeInterval: 8)
            try expect(board.isOn, "the board was reset without a reason")
            board.console.type("kill -STOP $(cat /var/run/firstlightd.pid)\n")
            try expect(board.waitForEnd(seconds: 5 + 10), "nobody reset the board")
            let seen = try boot(firmware, disk, expecting: "current", .solid)
            try board.powerOff()
            return seen
        }
        scene("the watchdog is let go by a daemon that is stopped") {
            let disk = try workshop.blankDisk()
            try board.powerOn(firmware(watched), disk: disk, watchdog: true)
            let seen = try finishBoot("migrated", .solid)
            try board.console.run("/etc/init.d/S15firstlight stop")
            Thread.sleep(forTimeInterval: 8)
            try expect(board.isOn, "the board was reset behind a clean stop")
            try board.console.run("/etc/init.d/S15firstlight start")
            let status = try board.console.run("firstlightctl status; /etc/init.d/S15firstlight status; echo $?").output
            try expect(status.contains("ready: migrated") || status.contains("migrated"), "the status says \(status)")
            try expect(!board.console.transcript.contains("started again; it goes on"), "a stop was taken for a loss")
            try board.powerOff()
            return seen
        }
    }

    // ---- Hands, and what they did ----

    /// With bouncing contacts, for so long from the first edge to the first edge of letting go.
    private func hold(_ seconds: Double) throws {
        let start = Date()
        try board.moveButton(down: true, bouncing: [1, 3, 2, 15])
        Thread.sleep(forTimeInterval: seconds - Date().timeIntervalSince(start))
        try board.moveButton(down: false, bouncing: [4, 1, 11])
    }

    /// The furthest an edge is from where the pattern has it, in milliseconds, the pattern's beginning laid as well as it goes.
    private func jitter(_ edges: some Collection<LightEdge>, period: Double) -> Double {
        let errors = edges.enumerated().map { $0.element.milliseconds - Double($0.offset) * period }
        guard edges.count >= 30, let low = errors.min(), let high = errors.max() else { return .infinity }
        return (high - low) / 2
    }

    /// An image with these settings; with `fault`, one in which `action` is done once the daemon has logged `line`: `$supervisor` and `$worker` are its
    /// processes.
    private func firmware(_ settings: String, of firmware: Firmware? = nil, fault line: String? = nil, _ action: String = "") -> Firmware {
        let firmware = (firmware ?? workshop.firmware).replacing(directory: "/etc/firstlight.conf.d", with: ["story.conf": settings])
        guard let line else { return firmware }
        let script = """
            #!/bin/sh
            [ "$1" = start ] || exit 0
            (
                until dmesg | grep -q '\(line)'; do usleep 20000; done
                supervisor=$(cat /var/run/firstlightd.pid)
                until worker=$(grep -l -- --worker /proc/[0-9]*/cmdline 2>/dev/null | cut -d / -f 3) && [ -n "$worker" ]; do usleep 5000; done
                \(action)
            ) &
            """
        return firmware.adding("/etc/init.d/S14fault", script, mode: 0o755)
    }
}
#endif
