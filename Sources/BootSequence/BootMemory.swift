public import AutoMigrator
public import DataPartition

/// What a supervisor leaves in the status directory, a tmpfs, for its next life in the same boot: one that crashed or was restarted must not check a
/// partition, nor migrate a database, that an application works on meanwhile.
public struct BootMemory: Sendable {
    public enum State: String, Sendable {
        /// Anywhere before READY but while erasing.
        case booting
        case wiping
        case ready

        var isReady: Bool { self == .ready }
    }

    /// The kernel's name for this boot (/proc/sys/kernel/random/boot_id): of another one nothing holds.
    public let boot: String
    public let state: State
    public var data: DataReport?
    public var repositories: [RepositoryReport] = []
    /// Names of the databases that are still to be handed over.
    public var unfinished: [String] = []
    public var warnings: [String] = []
    public var isDegraded = false
    /// What had been asked for and was not done yet.
    public var orders: [BootMachine.Order] = []
    /// READY's hook has run to its end.
    public var isHooked = false
    /// The partition's count of errors when it was mounted.
    public var errors: Int64?
    /// Its life ended because it was asked to.
    public var wasStopped = false

    public init(boot: String, state: State) {
        self.boot = boot
        self.state = state
    }

    public var json: JSON {
        .object([
            ("boot", .string(boot)), ("state", .string(state.rawValue)), ("data", data?.workerJSON ?? .null),
            ("repositories", .array(repositories.map { $0.workerJSON })), ("unfinished", .array(unfinished.map { .string($0) })),
            ("warnings", .array(warnings.map { .string($0) })), ("degraded", .bool(isDegraded)),
            ("orders", .array(orders.compactMap { $0.json })), ("hooked", .bool(isHooked)),
            ("errors", .number(errors)), ("stopped", .bool(wasStopped)),
        ])
    }

    /// Nil for anything that is not whole: then the boot begins anew.
    public init?(json: JSON) {
        guard let boot = json["boot"]?.stringValue, let state = json["state"]?.stringValue.flatMap({ State(rawValue: $0) }) else { return nil }
        self.init(boot: boot, state: state)
        if let data = json["data"] {
            guard let parsed = DataReport(workerJSON: data) else { return nil }
            self.data = parsed
        }
        for report in json["repositories"]?.elements ?? [] {
            guard let parsed = RepositoryReport(workerJSON: report) else { return nil }
            repositories.append(parsed)
        }
        unfinished = json["unfinished"]?.elements.compactMap { $0.stringValue } ?? []
        warnings = json["warnings"]?.elements.compactMap { $0.stringValue } ?? []
        isDegraded = json["degraded"]?.boolValue ?? false
        orders = json["orders"]?.elements.compactMap { BootMachine.Order(json: $0) } ?? []
        isHooked = json["hooked"]?.boolValue ?? false
        errors = json["errors"]?.numberValue
        wasStopped = json["stopped"]?.boolValue ?? false
    }
}

extension BootMachine.Order {
    /// Nil for what nobody waits for in another life.
    var json: JSON? {
        switch self {
        case .factoryReset(let reason, let reboot): .object([("reset", .string(reason)), ("reboot", .bool(reboot))])
        case .reboot: .object([("reboot", .bool(true))])
        case .snapshot, .history: nil
        }
    }

    init?(json: JSON) {
        let reboot = json["reboot"]?.boolValue ?? false
        if let reason = json["reset"]?.stringValue {
            self = .factoryReset(reason: reason, reboot: reboot)
        } else if reboot {
            self = .reboot
        } else {
            return nil
        }
    }
}

extension RepositoryReport {
    /// A worker's last line: status.json's fields, and what only the supervisor needs.
    public var workerJSON: JSON {
        .object([("report", json), ("untold", .bool(untold)), ("warnings", .array(warnings.map { .string($0) }))])
    }

    public init?(workerJSON json: JSON) {
        guard let report = json["report"] else { return nil }
        self.init(json: report, warnings: json["warnings"]?.elements.compactMap { $0.stringValue } ?? [])
        untold = json["untold"]?.boolValue ?? false
    }
}
