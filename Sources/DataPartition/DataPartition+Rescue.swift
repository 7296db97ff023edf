internal import CLinux
import Linux

/// What a repair by force may cost, kept beside it: `e2fsck -y` puts the filesystem right, not the files, and at times takes one away that a read-only
/// mount still gives out. So the databases' directories are read into memory first, and of that comes back what is missing behind the repair.
///
/// For this boot only: a power cut in between leaves what the repair has made.
extension DataPartition {
    /// A copy in memory of what a read-only mount gave out.
    final class Rescued {
        let bundle: SalvageBundle

        init(_ bundle: consuming SalvageBundle) { self.bundle = bundle }
    }

    /// Reads the databases' directories, once, before the first repair by force. That it does not go is no reason not to repair.
    mutating func rescue(_ path: String) {
        if rescued != nil || settings.databases.isEmpty { return }
        let directories = settings.databases.compactMap { below($0) }.map { Text.directory(of: $0) }.filter { $0 != "." }
        if directories.isEmpty { return }
        let reporter = reporter
        do throws(LinuxError) {
            guard try mountReadOnly(path) != nil else { return }
            do throws(LinuxError) {
                let bundle = try SalvageBundle.read(mountPoint, only: directories, limit: (Memory.total ?? 0) / 4) { reporter.progress(.recovering, "read \($0)") }
                rescued = Rescued(bundle)
            } catch {
                try unmount()
                throw error
            }
            try unmount()
        } catch {
            reporter.log.warning("data: \(path): the databases could not be read before the repair: \(error.text)")
        }
    }

    /// Puts back what is missing now, durably. Nothing that is there is touched: which of the two is right nobody here can tell.
    mutating func putBackRescued() {
        guard let rescued, rescued.bundle.files > 0 else { return }
        self.rescued = nil
        // A sidecar belongs to the database that it was beside, and to no other (RULES.md S2).
        var others: [String] = []
        for path in settings.databases.compactMap({ below($0) }) where FileSystem.exists("\(mountPoint)/\(path)") {
            others += ["-wal", "-journal", "-shm"].map { path + $0 }
        }
        let reporter = reporter
        do throws(LinuxError) {
            var extraction = try SalvageExtraction(rescued.bundle.reader(), root: mountPoint)
            let count = try extraction.extractMissing(but: others) { reporter.progress(.recovering, "put back \($0)") }
            if count == 0 { return }
            try Mounting.commit(mountPoint)
            note(.rescue, "ok", "\(count) files that the repair had taken away, put back as a read-only mount had given them out before")
        } catch {
            note(.rescue, "failed", error.text)
        }
    }
}
