#if Lab
import CLinux
import CTorture
import Dispatch
import Glibc
import Synchronization

/// A disk in memory that the kernel sees as a file: every write, flush and discard that reaches it is logged, and any of them can fail.
///
/// It speaks the kernel's FUSE protocol (linux/fuse.h) for one regular file, uncached, on a thread of its own. A loop device on it is a disk with
/// a volatile cache: what a loop device is told to flush arrives here as FSYNC. qemu-storage-daemon would do the same by blklogwrites and
/// blkdebug, in a process of its own for each of thousands of faults.
///
/// The thread shares neither descriptors nor mounts with the process. When the process is killed, whatever waits for this disk in
/// the kernel (a umount, the end of the mount namespace) waits until /dev/fuse is closed: so the thread has the only
/// descriptor of it, and is never itself the last one in the namespace, whose mounts it would have to see off first.
final class FuseDisk: @unchecked Sendable {
    /// Requests as an injection counts them.
    enum Operation: CaseIterable {
        case read, write, flush
    }

    /// The n-th request of its kind, from 0, fails; and those after it, where asked.
    struct Fault {
        let operation: Operation
        let index: Int
        let code: Int32
        let fromThenOn: Bool
    }

    /// What of it changes while the kernel uses it.
    private struct State {
        var log = BlockLog()
        var logs = false
        var fault: Fault?
        var unreadable: [Range<Int>] = []
        var counts: [Operation: Int] = [:]
        var delivered = false
    }

    let path: String
    let size: Int
    /// The disk's bytes. To be changed from outside only while no device is attached to it, or nothing of it is mounted.
    let bytes: UnsafeMutableRawBufferPointer
    /// /dev/fuse, until the thread has it for itself.
    private let channel: Int32
    private let state = Mutex(State())
    private var thread = pthread_t()
    private let isAlone = DispatchSemaphore(value: 0)

    /// - Parameter path: a regular file that the disk is mounted over.
    init(path: String, size: Int) throws {
        self.path = path
        self.size = size
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw TortureError.last("mmap of a disk") }
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: size)
        close(creat(path, 0o600))
        channel = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard channel >= 0 else { throw TortureError.last("/dev/fuse") }
        let options = "fd=\(channel),rootmode=100600,user_id=\(getuid()),group_id=\(getgid()),max_read=\(Self.transfer)"
        guard linux_mount("firstlight", path, "fuse", UInt(MS_NOSUID | MS_NODEV), options) == 0 else {
            throw TortureError.last("mount FUSE at \(path)")
        }
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(&thread, nil, { context in
            Unmanaged<FuseDisk>.fromOpaque(context!).takeRetainedValue().serve()
            return nil
        }, context)
        isAlone.wait()
        close(channel)
    }

    /// Lets the kernel's side go; the thread ends with it.
    func remove() {
        _ = linux_umount(path, 2)
        pthread_join(thread, nil)
        munmap(bytes.baseAddress, size)
        unlink(path)
    }

    // ---- What the bench asks ----

    /// Begins a new log, or ends it.
    func record(_ on: Bool) {
        state.withLock {
            $0.log = BlockLog()
            $0.logs = on
        }
    }

    var log: BlockLog { state.withLock { $0.log } }
    /// How many entries the log has by now.
    var position: Int { state.withLock { $0.log.entries.count } }

    /// Counts requests from here on, and lets one fail.
    func inject(_ fault: Fault?) {
        state.withLock {
            $0.fault = fault
            $0.counts = [:]
            $0.delivered = false
        }
    }

    /// From here on every read that touches these bytes fails, whatever has been written there since.
    func spoil(_ ranges: [Range<Int>]) { state.withLock { $0.unreadable = ranges } }

    /// Requests since `inject`, and whether its fault came to pass.
    var counts: [Operation: Int] { state.withLock { $0.counts } }
    var isDelivered: Bool { state.withLock { $0.delivered } }

    // ---- The protocol ----

    private static let transfer = 1 << 20

    private func serve() {
        // A signal handler of the process would not find its descriptors here.
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        precondition(torture_stand_alone(channel) == 0, "a disk's thread cannot stand alone")
        let channel: Int32 = 0
        isAlone.signal()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.transfer + 4096, alignment: 4096)
        let reply = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.transfer + 4096, alignment: 4096)
        defer {
            buffer.deallocate()
            reply.deallocate()
            close(channel)
        }
        while true {
            let n = Glibc.read(channel, buffer.baseAddress, buffer.count)
            if n < 40 {
                // ENODEV: unmounted. ENOENT: a request that was withdrawn.
                if n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT) { continue }
                return
            }
            let length = answer(UnsafeRawBufferPointer(rebasing: buffer[..<n]), reply)
            if length > 0 { _ = Glibc.write(channel, reply.baseAddress, length) }
        }
    }

    /// The length of the reply; 0 where none is expected.
    private func answer(_ request: UnsafeRawBufferPointer, _ reply: UnsafeMutableRawBufferPointer) -> Int {
        func u32(_ at: Int) -> UInt32 { request.loadUnaligned(fromByteOffset: 40 + at, as: UInt32.self) }
        func u64(_ at: Int) -> UInt64 { request.loadUnaligned(fromByteOffset: 40 + at, as: UInt64.self) }
        let opcode = request.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        let unique = request.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        var length = 16
        var code: Int32 = 0
        func put<T>(_ value: T) {
            reply.storeBytes(of: value, toByteOffset: length, as: T.self)
            length += MemoryLayout<T>.size
        }
        func putAttributes() {
            // struct fuse_attr
            put(UInt64(1)); put(UInt64(size)); put(UInt64(size / 512))
            for _ in 0..<3 { put(UInt64(0)) }
            for _ in 0..<3 { put(UInt32(0)) }
            put(UInt32(0o100600)); put(UInt32(1)); put(getuid()); put(getgid()); put(UInt32(0)); put(UInt32(4096)); put(UInt32(0))
        }
        switch opcode {
        case 26:  // INIT: no write-back cache, whole mebibytes at once (FUSE_MAX_PAGES)
            put(UInt32(7)); put(UInt32(31)); put(UInt32(0)); put(UInt32(1 << 22)); put(UInt16(16)); put(UInt16(12))
            put(UInt32(Self.transfer)); put(UInt32(1)); put(UInt16(256)); put(UInt16(0))
            for _ in 0..<8 { put(UInt32(0)) }
        case 3, 4:  // GETATTR, SETATTR
            put(UInt64(3600)); put(UInt64(0))
            putAttributes()
        case 14:  // OPEN, FOPEN_DIRECT_IO
            put(UInt64(1)); put(UInt32(1)); put(UInt32(0))
        case 15:  // READ
            let offset = Int(u64(8))
            let count = max(0, min(Int(u32(16)), size - offset))
            code = failure(.read)
            if state.withLock({ $0.unreadable.contains { $0.overlaps(offset..<offset + count) } }) { code = EIO }
            if code == 0 {
                reply.baseAddress!.advanced(by: length).copyMemory(from: bytes.baseAddress! + offset, byteCount: count)
                length += count
            }
        case 16:  // WRITE
            let (offset, count) = (Int(u64(8)), Int(u32(16)))
            code = failure(.write)
            if code == 0 {
                let data = UnsafeRawBufferPointer(rebasing: request[80..<80 + count])
                (bytes.baseAddress! + offset).copyMemory(from: data.baseAddress!, byteCount: count)
                state.withLock { if $0.logs { $0.log.append(.write(offset: offset, bytes: Array(data))) } }
                put(UInt32(count)); put(UInt32(0))
            }
        case 20:  // FSYNC
            code = failure(.flush)
            if code == 0 { state.withLock { if $0.logs { $0.log.append(.flush) } } }
        case 43:  // FALLOCATE: a discard punches a hole, zeroing writes zeros
            let (offset, count) = (Int(u64(8)), Int(u64(16)))
            memset(bytes.baseAddress! + offset, 0, count)
            state.withLock { if $0.logs { $0.log.append(.discard(offset: offset, count: count)) } }
        case 17:  // STATFS
            for _ in 0..<5 { put(UInt64(0)) }
            put(UInt32(4096)); put(UInt32(255)); put(UInt32(4096))
            for _ in 0..<7 { put(UInt32(0)) }
        case 18, 25, 34, 38:  // RELEASE, FLUSH (of a close), ACCESS, DESTROY
            break
        case 2, 36, 42:  // FORGET, INTERRUPT, BATCH_FORGET have no answer
            return 0
        default:
            code = ENOSYS
        }
        if code != 0 { length = 16 }
        reply.storeBytes(of: UInt32(length), toByteOffset: 0, as: UInt32.self)
        reply.storeBytes(of: -code, toByteOffset: 4, as: Int32.self)
        reply.storeBytes(of: unique, toByteOffset: 8, as: UInt64.self)
        return length
    }

    /// Counts a request; what it is to fail with, else 0.
    private func failure(_ operation: Operation) -> Int32 {
        state.withLock { state in
            let index = state.counts[operation, default: 0]
            state.counts[operation] = index + 1
            guard let fault = state.fault, fault.operation == operation, index == fault.index || fault.fromThenOn && index > fault.index
            else { return 0 }
            state.delivered = true
            return fault.code
        }
    }
}
#endif
