internal import CLinux
import Linux

/// The order in which a partition is brought to a mountable state, decided without touching it.
///
///     first ──blank──────────────────────────────────────────────────────────► format
///       │ ├──another kind──────────────► format (policy always) or give up
///       │ ├──clean────────► mount ──fails──┐
///       │ ├──not clean──────────────────► preen ──ran──► mount ──fails──► repair ──► mount ──fails──► last
///       │ │                                 │ │                            ▲ │                         ▲
///       │ │                                 │ └─could not run─► mount ─────┘ └─could not run───────────┘
///       │ │                                 └─uncorrected────────────────────▲
///       │ ├──f2fs, cut off─► mount (the kernel rolls it forward)
///       │ ├──damaged────► repair from a backup (at most two) ─► mount ─fails─┘   (none left)
///       │ │    repair: looked at first without writing, and given up where that meets a read error; again, once, where it has changed something
///       │ └──unknown bytes ───────────────► preen
///       └ last: format, if the policy allows it and the evidence demands it; else give up
///
/// `first`, `after(_:)` and `afterMountFailed(_:)` walk its edges. What holds throughout: nothing is formatted or
/// repaired by force once a read failed (RULES.md F7), because a mount failed, or because a check could not run
/// (F2, F12).
struct Ladder {
    enum Step: Equatable {
        case mount
        case preen
        case repair
        case repairFrom(SuperblockPlace)
        /// Why nothing on it could be kept.
        case format(String)
        /// Why it is left as it is.
        case giveUp(String)
    }

    private let probe: Probe
    private let policy: FormatPolicy
    private let deviceSize: Int64
    private var current = Step.mount
    private var backups: ArraySlice<SuperblockPlace>
    private var preened = false
    private var repairs = 0
    private var readError: Bool
    /// The best proof so far of a repair (not of a preen): nil while none was tried.
    private var repair: Check.Verdict?
    /// What the last mount failed with.
    private var mountError = ""

    init(_ probe: Probe, policy: FormatPolicy, deviceSize: Int64) {
        self.probe = probe
        self.policy = policy
        self.deviceSize = deviceSize
        backups = probe.backups.prefix(2)
        readError = probe.readError != nil
    }

    mutating func first() -> Step {
        switch probe.finding {
        case .blank:
            if policy == .never { return go(.giveUp("blank, and format = never")) }
            return go(.format("blank"))
        case .foreign(let kind):
            if policy != .always { return go(.giveUp("it holds \(kind); only format = always would format over it")) }
            if readError { return go(.giveUp("it holds \(kind), and reading it failed")) }
            return go(.format("it holds \(kind), and format = always"))
        case .ext4:
            if let superblock = probe.superblock, superblock.size > deviceSize {
                // e2fsck can only abort, and the kernel refuses: it is the partition table that is wrong, and the data
                // may all be there.
                return go(.giveUp("its filesystem has \(superblock.size) bytes, its partition only \(deviceSize)"))
            }
            return go(probe.isClean ? .mount : .preen)
        case .f2fs(let found):
            if found.size > deviceSize {
                return go(.giveUp("its filesystem has \(found.size) bytes, its partition only \(deviceSize)"))
            }
            // One that was merely cut off is rolled forward by the kernel, and fsck.f2fs would undo what that could still find.
            return go(found.checkpoint.map { $0.asksForCheck } ?? true ? .preen : .mount)
        case .damaged:
            // Not preen: over a damaged descriptor table it destroys the backups (GroupDescriptors).
            return readError ? go(.giveUp("damaged, and reading it failed")) : nextRepair()
        case .unknown:
            return go(.preen)
        }
    }

    /// e2fsck has ended.
    mutating func after(_ check: Check) -> Step {
        if check.readError { readError = true }
        switch current {
        case .preen:
            preened = true
            if check.verdict == .uncorrected { return nextRepair() }
            let worked = check.verdict == .clean || check.verdict == .fixed
            // Without a superblock there is nothing to mount, and the attempt would prove nothing.
            if !worked && !probe.hasIntactSuperblock { return nextRepair() }
            return go(.mount)
        case .repair, .repairFrom:
            switch check.verdict {
            case .clean, .fixed, .uncorrected:
                repair = check.verdict
                return go(.mount)
            case .couldNotWork, .didNotRun:
                if repair == nil { repair = check.verdict }
                return nextRepair()
            }
        default:
            return last()
        }
    }

    /// A check that only looks met one: nothing is repaired by force, and nothing formatted.
    mutating func afterReadError() -> Step {
        readError = true
        return nextRepair()
    }

    /// mount(2), or the proof behind it, failed with this errno.
    mutating func afterMountFailed(_ code: Int32) -> Step {
        mountError = LinuxError.name(code)
        guard [EUCLEAN, EBADMSG, EINVAL, EIO, ESTALE].contains(code) else {
            // ENODEV, EBUSY, ENOMEM, EROFS, a missing mount point: nothing about the filesystem.
            return go(.giveUp("mount: \(mountError)"))
        }
        if hasFilesystem && !preened { return go(.preen) }
        if repair == .clean || repair == .fixed, code != EUCLEAN, code != EBADMSG {
            // EINVAL is also what an older kernel says to a newer feature, EIO what a passing error says.
            if backups.isEmpty { return go(.giveUp("\(checker) finds nothing wrong, but mount: \(mountError)")) }
        }
        return nextRepair()
    }

    private mutating func nextRepair() -> Step {
        // "Force rewrite? yes" writes zeros over what a passing read error hid.
        if readError { return go(.giveUp("reading it failed, so neither repair by force nor formatting")) }
        if let place = backups.popFirst() { return go(.repairFrom(place)) }
        // Once more where the first one has changed something: what it put right may have hidden more.
        if repairs == 0 || repairs == 1 && (repair == .fixed || repair == .uncorrected) {
            repairs += 1
            return go(.repair)
        }
        return last()
    }

    /// No rung is left: format, if nothing speaks against it.
    private mutating func last() -> Step {
        if readError { return go(.giveUp("reading it failed, so it is not formatted")) }
        switch repair {
        case .uncorrected?:
            return format("\(checker) -y could not put it right\(mountError.isEmpty ? "" : ", and mount: \(mountError)")")
        case .clean?, .fixed?:
            return format("\(checker) -y has repaired it, and it is still damaged: mount: \(mountError)")
        case .couldNotWork?:
            if probe.hasIntactSuperblock { return go(.giveUp("\(checker) could not work on it, which proves nothing")) }
            if case .f2fs = probe.finding { return format("no whole checkpoint is left, and \(checker) could not work without") }
            return format(
                probe.finding == .unknown
                    ? "no filesystem in it" : "no whole superblock is left, and \(checker) could not work without")
        case .didNotRun?, nil:
            return go(.giveUp("\(checker) could not run, which proves nothing"))
        }
    }

    private mutating func format(_ why: String) -> Step {
        switch policy {
        case .ifUnusable, .always: go(.format(why))
        case .ifBlank, .never: go(.giveUp("\(why); format = \(policy.text)"))
        }
    }

    private var checker: String { probe.kind == .f2fs ? "fsck.f2fs" : "e2fsck" }

    /// One that a check may be tried on before it is called damaged.
    private var hasFilesystem: Bool {
        switch probe.finding {
        case .ext4, .f2fs: true
        default: false
        }
    }

    private mutating func go(_ step: Step) -> Step {
        current = step
        return step
    }
}
