import Linux
import Testing

@testable import DataPartition

/// Partitions found by what their table says of them: blank ones too, since that is what a first boot finds.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct FinderTests {
    /// A disk with a GPT and one partition (nobody else's label), known to the kernel.
    private func disk(_ label: String, partUUID: String? = nil) throws -> LoopDisk {
        let disk = try LoopDisk()
        let uuid = partUUID.map { ",uuid=\($0)" } ?? ""
        try disk.partition(by: "label: gpt\\nstart=2048,size=122880,name=\(label)\(uuid)\\n")
        return disk
    }

    private func uniqueLabel() throws -> String { Text.name(of: try shell("mktemp -u fl-XXXXXXXX").output()) }

    @Test func findsABlankPartitionByItsLabel() throws {
        let label = try uniqueLabel()
        let disk = try disk(label)
        var partition = disk.partition(.partLabel(label))
        let report = try partition.bringUp()
        #expect(report.device == "\(disk.device)p1")
        #expect(report.rungs == "format ok, mount ok")
        disk.unmount()
    }

    @Test func findsAPartitionByItsUUIDInAnyCase() throws {
        let disk = try disk(try uniqueLabel(), partUUID: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709")
        let spec = try #require(DeviceSpec(text: "PARTUUID=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"))
        #expect(try DeviceFinder(reporter: .silent).find(spec, wait: 0) == "\(disk.device)p1")
    }

    @Test func choosesNoneOfTwoPartitionsWithOneLabel() throws {
        let label = try uniqueLabel()
        let (a, b) = (try disk(label), try disk(label))
        let error = #expect(throws: DataPartitionError.self) {
            try DeviceFinder(reporter: .silent).find(.partLabel(label), wait: 0)
        }
        #expect(error?.kind == .ambiguous)
        for disk in [a, b] { #expect(Text.contains(error?.text ?? "", "\(disk.device)p1")) }
    }

    @Test func findsAFilesystemByTheLabelItWasFormattedWith() throws {
        let label = try uniqueLabel()
        let disk = try LoopDisk()
        let size = try BlockDevice.open(disk.device, .read).size
        let arguments = Ext4.makeArguments(disk.device, end: Tail.start(on: size), for: .label(label))
        #expect(try Program.run(Ext4.make, arguments, deadline: 60_000, reporter: .silent).end == .exited(0))
        var partition = disk.partition(.label(label))
        #expect(try partition.bringUp().device == disk.device)
    }

    @Test func waitsForADeviceThatComesLate() throws {
        let label = try uniqueLabel()
        let disk = try disk(label)
        disk.dropPartitions()
        let late = try ChildProcess.start("/bin/sh", ["-c", "sleep 0.4; partx -a \(disk.device)"])
        defer { _ = try? late.wait() }
        #expect(try DeviceFinder(reporter: .silent).find(.partLabel(label), wait: 5000) == "\(disk.device)p1")
    }
}
