import Testing

@testable import DataPartition

struct MountTableTests {
    @Test func readsMountinfo() {
        let table = MountTable(
            text: """
                22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
                30 22 7:0 / /mnt/with\\040blank ro,noatime - ext4 /dev/loop0 rw
                31 22 7:1 / /data rw master:2 propagate_from:1 - ext4 /dev/loop1 rw
                32 31 0:40 / /data rw - tmpfs firstlight-volatile rw,size=1k
                garbage
                """)
        #expect(table.entries.count == 4)
        #expect(table.top(at: "/mnt/with blank")?.isReadOnly == true)
        #expect(table.top(at: "/data")?.isVolatile == true)
        #expect(table.mount(of: 7 << 8 | 1)?.mountPoint == "/data")
        #expect(table.top(at: "/nowhere") == nil)
    }

    @Test func readsDeviceSpecs() {
        #expect(DeviceSpec(text: "PARTUUID=AB-CD") == .partUUID("ab-cd"))
        for text in ["none", "/dev/vdb", "PARTLABEL=data", "PARTUUID=ab-1", "UUID=ab", "LABEL=My Data"] {
            #expect(DeviceSpec(text: text)?.text == text)
        }
        for text in ["", "data", "PARTLABEL=", "partlabel=data", "=x"] { #expect(DeviceSpec(text: text) == nil) }
    }
}
