#if Lab
import Foundation
import VirtualBoard

/// What happens to the partition itself: the second half of the story.
extension Story {
    func playPartition() throws {
        let disk = try workshop.blankDisk()

        scene("a disk that comes 3 s late: found") {
            let seen = try boot(workshop.firmware, nil, expecting: "migrated", .solid) { [board] in
                guard board.light.waitForFirstEdge(seconds: 60) != nil else { throw Deviation("the LED stays dark") }
                Thread.sleep(forTimeInterval: 3)
                try board.plug(disk)
            }
            try expectData(seen, "device", "/dev/vda1")
            try board.powerOff()
            return seen
        }
        for size in [64, 8192] {
            scene("blank \(size) MiB: at most 1.5 of mkfs and mount alone") {
                // A host with other things to do makes either late, never early: one pair of three is enough.
                var pairs: [String] = []
                while true {
                    let alone = try makeAndMountAlone(try DataDisk(blankPartition: size, in: workshop.scratch), size)
                    let seen = try boot(workshop.firmware, try DataDisk(blankPartition: size, in: workshop.scratch), expecting: "migrated", .solid)
                    let ours = seen.status["since_boot_ms"] as? Int ?? .max
                    try board.powerOff()
                    if ours * 2 <= alone * 3 { return seen }
                    pairs.append("migrated \(ours) ms after power-on, mkfs and mount alone done after \(alone) ms")
                    try expect(pairs.count < 3, pairs.joined(separator: "; "))
                }
            }
        }
        scene("two partitions of one name: none is chosen") {
            let twin = try workshop.blankDisk()
            let seen = try boot(workshop.firmware, disk, drives: [Drive(twin.file)], expecting: "volatile", .blinks(4))
            let said = (seen.status["warnings"] as? [String] ?? []).contains {
                $0.contains("both match") && $0.contains("/dev/vda1") && $0.contains("/dev/vdb1")
            }
            try expect(said, "no warning names the two")
            try board.powerOff()
            return seen
        }
        scene("two partitions of one name: the one on the root disk") {
            let twin = try workshop.blankDisk()
            let seen = try boot(
                workshop.firmware, disk, drives: [Drive(twin.file)], commandLine: "root=/dev/vda1", expecting: "current", .solid)
            try expectData(seen, "device", "/dev/vda1")
            try board.powerOff()
            return seen
        }
        scene("firstlightctl factory-reset: done by the boot behind it") {
            let old = try workshop.oldDisk()
            _ = try boot(workshop.firmware, old, expecting: "migrated", .solid)
            board.console.type("firstlightctl factory-reset --reason 'sold on'\n")
            try expect(board.waitForEnd(seconds: 30), "the board did not reboot")
            try expectReadings(old, OldDevice.readings)
            let seen = try boot(workshop.firmware, old, expecting: "migrated", .solid)
            try expect(actions(seen).first == "wipe: ok", "no reset first among \(actions(seen))")
            try expectResets(seen, 1, "wipe: sold on")
            try board.powerOff()
            try expectReadings(old, 0)
            return seen
        }
        scene("firstlight.factory_reset=A1 on the command line: once") {
            let first = try boot(workshop.firmware, disk, commandLine: "firstlight.factory_reset=A1", expecting: "migrated", .solid)
            try expectResets(first, 1, "wipe: kernel command line, A1")
            try board.powerOff()
            let seen = try boot(workshop.firmware, disk, commandLine: "firstlight.factory_reset=A1", expecting: "current", .solid)
            try expectResets(seen, 1, "wipe: kernel command line, A1")
            try board.powerOff()
            return seen
        }
        scene("f2fs: made, migrated, the plug pulled, rolled forward") {
            let other = try workshop.blankDisk()
            let firmware = firmware("[data]\nfilesystem = f2fs\n")
            let first = try boot(firmware, other, expecting: "migrated", .solid)
            try expectData(first, "filesystem", "f2fs")
            try board.console.run("sync")
            board.cutPower()
            let seen = try boot(firmware, other, expecting: "current", .solid)
            try expect(actions(seen) == ["mount: ok"], "the boot behind it did \(actions(seen))")
            try board.powerOff()
            let third = try boot(firmware, other, expecting: "current", .solid)
            try expect(actions(third) == ["clean: ok", "mount: ok"], "the third boot did \(actions(third))")
            try board.powerOff()
            return seen
        }
        scene("an image flashed onto a larger card: grown to its end") {
            let old = try workshop.oldDisk()
            try old.enlarge(to: 512)
            let firmware = firmware("[data]\ngrow = partition\n")
            let seen = try boot(firmware, old, expecting: "migrated", .solid)
            try expect(actions(seen).filter { $0 == "grow: ok" }.count == 2, "the boot did \(actions(seen))")
            let sizes = try board.console.run("cat /sys/class/block/vda1/size; dumpe2fs -h /dev/vda1 2>/dev/null | sed -n 's/^Block count: *//p'").output
            // From the first MiB on, to one before the end; and the tail less.
            try expect(sizes == "\(510 * 2048)\n\(509 * 256)\n", "the sizes are \(sizes)")
            try board.powerOff()
            let again = try boot(firmware, old, expecting: "current", .solid)
            try expect(actions(again) == ["clean: ok", "mount: ok"], "the next boot did \(actions(again))")
            try board.powerOff()
            return seen
        }
        scene("a partition that fails at work: seen within 10 s, told") {
            let firmware = firmware("[hooks]\non-degraded = echo \"degraded: $FIRSTLIGHT_OUTCOME\" > /run/degraded\n")
            let seen = try boot(firmware, disk, expecting: "current", .solid)
            try board.console.run("echo 1 > /sys/fs/ext4/vda1/trigger_fs_error")
            try expect(board.light.wait(for: .blinks(4), seconds: 10 + 6), "the pin shows \(board.light.current?.description ?? "no pattern")")
            let (text, _) = try board.console.run("sleep 1; cat /run/degraded /run/firstlight/ready; firstlightctl status; echo $?")
            try expect(text.hasPrefix("degraded: volatile\nvolatile\n"), "the hook and ready say \(text.prefix(60))")
            try expect(text.contains("/dev/vda1: 1 error of the filesystem") && text.hasSuffix("\n5\n"), "the status says \(text)")
            board.cutPower()
            let again = try boot(firmware, disk, expecting: "current", .solid)
            try expect(actions(again).first?.hasPrefix("preen: ") == true, "the next boot did \(actions(again))")
            try board.powerOff()
            return seen
        }
    }

    /// The example's, with a file in firstlight.conf.d.
    private func firmware(_ settings: String) -> Firmware {
        workshop.firmware.replacing(directory: "/etc/firstlight.conf.d", with: ["story.conf": settings])
    }

    /// What every first boot has to do, by a script in our place.
    /// - Returns: when it was done, in milliseconds after power-on.
    private func makeAndMountAlone(_ disk: DataDisk, _ size: Int) throws -> Int {
        let (uuid, lazy) = ("6669727a-746c-6967-6874-000000000001", size > 1024 ? 1 : 0)
        let script = """
            #!/bin/sh
            mkdir -p /data
            mkfs.ext4 -F -q -O none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum \
                -b 4096 \(size < 129 ? "-g 4096" : "") -I 256 -m 0 -U \(uuid) -E hash_seed=\(uuid),nodiscard,lazy_itable_init=\(lazy),lazy_journal_init=\(lazy) \
                /dev/vda1 \((size - 1) * 256) && mount -t ext4 -o noatime,nodev,nosuid,noexec,errors=remount-ro /dev/vda1 /data && echo "mounted: $(cat /proc/uptime)"
            """
        try board.powerOn(workshop.firmware.adding("/etc/init.d/S15firstlight", script, mode: 0o755), disk: disk)
        defer { board.cutPower() }
        guard let said = board.console.wait(for: "mounted: ", seconds: 60), let seconds = said.split(separator: " ").first.flatMap({ Double($0) }) else {
            throw Deviation("mkfs and mount alone did not end")
        }
        return Int(seconds * 1000)
    }

    private func data(_ seen: Observation) -> [String: Any] { seen.status["data"] as? [String: Any] ?? [:] }

    private func expectData(_ seen: Observation, _ key: String, _ value: String) throws {
        let found = data(seen)[key] as? String ?? "nothing"
        try expect(found == value, "status.json's data.\(key) is \(found), not \(value)")
    }

    private func expectResets(_ seen: Observation, _ count: Int, _ last: String) throws {
        let found = data(seen)["resets"] as? Int ?? -1
        let history = data(seen)["history"] as? [String] ?? []
        try expect(found == count && history.last?.hasSuffix(last) == true, "\(found) resets are told, and \(history)")
    }
}
#endif
