#if Lab
import Foundation

/// What the machine itself is given to start from. The rest comes off its disks.
public struct BootFiles: Sendable {
    enum Start: Sendable {
        case kernel(URL, initramfs: URL?)
        case bios(URL)
    }
    let start: Start
    let deviceTree: URL?
    /// QEMU's program, and what machine and processor it is to be.
    var machine = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"]

    /// As a bootloader does it that needs nothing from a disk.
    /// - Parameters:
    ///   - initramfs: nil when the kernel finds its root by itself.
    ///   - deviceTree: nil for the machine's own, which has the lines of LED and button but gives none of them a name.
    public init(kernel: URL, initramfs: URL?, deviceTree: URL? = nil) {
        start = .kernel(kernel, initramfs: initramfs)
        self.deviceTree = deviceTree
    }

    /// A bootloader in the machine's flash, which finds kernel and command line on the disks.
    public init(bios: URL, deviceTree: URL? = nil) {
        start = .bios(bios)
        self.deviceTree = deviceTree
    }

    /// QEMU's, from its name on.
    func arguments(commandLine: String) -> [String] {
        var arguments = machine
        if let deviceTree { arguments += ["-dtb", deviceTree.path] }
        switch start {
        case .kernel(let kernel, let initramfs):
            arguments += ["-kernel", kernel.path, "-append", "console=ttyAMA0 panic=1 \(commandLine)"]
            if let initramfs { arguments += ["-initrd", initramfs.path] }
        case .bios(let bios):
            // With ACPI a machine that starts from firmware has no PL061.
            arguments += ["-bios", bios.path, "-machine", "acpi=off"]
        }
        return arguments
    }
}
#endif
