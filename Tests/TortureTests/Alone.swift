#if Lab
import CTorture
import Foundation
import Linux
@testable import Torture

/// In a folder that goes with it, on a thread whose mounts are its own.
func alone(_ body: @escaping @Sendable (String) throws -> Void) async throws {
    let folder = "/dev/shm/firstlight-damaged-\(UUID().uuidString)"
    try FileSystem.makeDirectories(folder)
    defer { try? FileSystem.removeTree(folder) }
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread {
            done.resume(
                with: Result {
                    if geteuid() == 0, torture_private_mounts() != 0 { throw TortureError.last("private mounts") }
                    try body(folder)
                })
        }
    }
}

let canMount = geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0 && access("/dev/loop-control", R_OK | W_OK) == 0
#endif
