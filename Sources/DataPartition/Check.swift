import Linux

/// What one run of e2fsck proved. Its exit code is a sum of bits (RULES.md F2).
struct Check: Equatable {
    enum Verdict: Equatable {
        /// 0: nothing wrong.
        case clean
        /// 1, 2, 3: put right. 2 asks for a reboot only where the filesystem is the root.
        case fixed
        /// 4: something is left.
        case uncorrected
        /// 8 and more: it found nothing it could work on. A bad superblock says so, and so do an unsupported feature
        /// and wrong flags: it proves nothing about the filesystem (RULES.md F2, F12).
        case couldNotWork
        /// It was not there, or did not live to its end.
        case didNotRun
    }

    let verdict: Verdict
    var readError = false

    init(_ verdict: Verdict, readError: Bool = false) {
        self.verdict = verdict
        self.readError = readError
    }

    init(end: ChildProcess.End, readError: Bool) {
        switch end {
        case .killed: verdict = .didNotRun
        case .exited(0): verdict = .clean
        case .exited(let code) where code < 4: verdict = .fixed
        case .exited(let code) where code < 8: verdict = .uncorrected
        // A shell's or a loader's "cannot execute", "not found".
        case .exited(let code): verdict = code == 126 || code == 127 ? .didNotRun : .couldNotWork
        }
        self.readError = readError
    }

    /// The word in the report.
    var text: String {
        switch verdict {
        case .clean: "ok"
        case .fixed: "fixed"
        case .uncorrected: "failed"
        case .couldNotWork, .didNotRun: "refused"
        }
    }
}
