public import AutoMigrator
public import DataPartition

/// What the machine is told and says: events in, actions out, and the jobs and orders in them.
extension BootMachine {
    /// A stage that a worker does.
    public enum Job: Sendable, Equatable {
        /// Factory reset of the partition.
        case wipe
        /// Find, check, repair or format, mount.
        case data
        /// RAM in the partition's place, and why.
        case volatile(reason: String)
        /// One boot of one repository.
        case repository(index: Int, Shutdown, afterLoss: Loss?)
        /// Behind READY: what the partition's repair cost has been told.
        case acknowledgeRepair
        /// What is done for a repository behind READY.
        case upkeep(index: Int, Upkeep)
        /// Put on the partition's record, so that the next boot resets it.
        case requestReset(reason: String)
        /// A snapshot that somebody asked for.
        case snapshot(index: Int)
        /// An entry in the history of boots, on the partition.
        case history(entry: String)
    }

    /// What the partition looked like before this boot, for how closely a database is looked at.
    public enum Shutdown: String, Sendable {
        case clean, unclean
        /// Repaired by force, or carried over a format.
        case repaired
    }

    public enum Upkeep: String, Sendable {
        /// The report has been told, and need not be told again.
        case told
        /// No worker came to the repository's end, or it failed: what is left unfinished is handed over, the application working from now on.
        case unfinished
        /// A snapshot, where one is due.
        case snapshot
    }

    /// How the worker before ended, for the one that takes over.
    public struct Loss: Sendable, Equatable {
        public let reason: String
        /// Even the one that only looked crashed: the database itself is not to be opened again.
        public let distrusted: Bool

        public init(reason: String, distrusted: Bool) {
            self.reason = reason
            self.distrusted = distrusted
        }
    }

    public enum Event: Sendable {
        case started(buttonDown: Bool)
        /// The button was held long enough at power-on and let go.
        case reset
        /// The button that was down at power-on asks for nothing.
        case windowClosed
        case wiped
        case mounted(DataReport)
        /// The stage ended by itself and says why it could not do its work.
        case unusable(reason: String, actions: [DataAction])
        case report(RepositoryReport)
        /// The worker was killed or crashed, and how. A crash is a signal that a program brings upon itself: SIGSEGV, SIGBUS, SIGILL.
        case lost(reason: String, crash: Bool)
        /// Upkeep is due; with `snapshot`, of the snapshots too.
        case upkeepDue(snapshot: Bool)
        /// Upkeep of one repository is done: the snapshot that was taken, and what is wrong.
        case kept(snapshot: String?, warning: String?)
        /// Somebody wants something; before READY it waits for that.
        case order(Order)
        /// A factory reset is on record.
        case requested
        /// The worker hangs in the kernel and cannot even be killed: the partition it hangs on is given up.
        case stuck(reason: String)
        case limit
        /// The partition, which an application works on, takes nothing any more.
        case degraded(reason: String)
        /// So little time is left that a partition which is not mounted by now is given up for RAM.
        case late
    }

    public enum Action: Sendable {
        case start(Job)
        case killWorker
        /// The boot is over; the report has the rest.
        case ready(Outcome)
        /// It has become worse behind READY; the report has the rest.
        case degraded
        /// The reset that the button asked for at power-on could not be done.
        case failed
        /// What was ordered is done: with the snapshot that was taken, or why it was not done.
        case done(Order, title: String?, trouble: String?)
    }

    /// What somebody asks for while the appliance runs.
    public enum Order: Sendable, Equatable {
        /// A factory reset by the next boot, and that boot at once where `reboot` says so.
        case factoryReset(reason: String, reboot: Bool)
        case reboot
        case snapshot(index: Int)
        /// This boot's entry in the history of boots.
        case history(entry: String)
    }
}
