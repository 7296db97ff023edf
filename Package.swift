// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// Firmware rooms build twice from the same sources: as normal Swift on the host, and as Embedded Swift for the
// device (packaging/toolsets). These settings make the host build refuse most of what Embedded Swift would refuse.
let firmware: [SwiftSetting] = [.treatWarning("EmbeddedRestrictions", as: .error)] + strict

let package = Package(
    name: "firstlight",
    products: [
        .executable(name: "firstlightd", targets: ["firstlightd"]),
        .executable(name: "firstlightctl", targets: ["firstlightctl"]),
        .executable(name: "firstlight-lab", targets: ["firstlight-lab"]),
        .library(name: "AutoMigrator", targets: ["AutoMigrator"]),
        .library(name: "AutoMigratorService", targets: ["AutoMigratorService"]),
    ],
    traits: [
        .default(enabledTraits: ["GPIO"]),
        .trait(name: "GPIO", description: "LED and button on GPIO lines, through libgpiod (1.6 or 2.x)."),
        .trait(name: "Lab", description: "The virtual board: host tools that boot, measure and unplug a QEMU machine."),
        .trait(name: "ServiceLifecycle", description: "AutoMigratorService, the migrator in a group of services."),
    ],
    dependencies: [
        // A firmware build resolves and fetches nothing. The first is the trait Lab's, the others are ServiceLifecycle's;
        // GRDB only its tests', so that who uses the service does not fetch it.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // The C faces.
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("blkid")]),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "CGPIO",
            cSettings: [.define("FIRSTLIGHT_GPIO", .when(traits: ["GPIO"]))],
            linkerSettings: [.linkedLibrary("gpiod", .when(traits: ["GPIO"]))]),

        // The firmware's rooms.
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: firmware),
        .target(name: "SQLite", dependencies: ["CSQLite", "Linux"], swiftSettings: firmware),
        .target(name: "AutoMigrator", dependencies: ["SQLite", "Linux"], swiftSettings: firmware),
        .target(name: "DataPartition", dependencies: ["Linux", "CLinux"], swiftSettings: firmware),
        .target(name: "FrontPanel", dependencies: ["Linux", "CLinux", "CGPIO"], swiftSettings: firmware),
        .target(
            name: "BootSequence", dependencies: ["Linux", "AutoMigrator", "DataPartition", "FrontPanel"],
            swiftSettings: firmware),
        .target(
            name: "Supervisor",
            dependencies: ["Linux", "CLinux", "SQLite", "AutoMigrator", "DataPartition", "FrontPanel", "BootSequence"],
            swiftSettings: firmware),
        .target(
            name: "Commands", dependencies: ["Linux", "CLinux", "SQLite", "AutoMigrator", "DataPartition", "BootSequence"],
            swiftSettings: firmware),

        // Each a C main that calls the entry its room exports: Embedded Swift has no CommandLine.
        // firstlightd answers to the name firstlightctl as well, so that a device carries the migrator once.
        .executableTarget(name: "firstlightd", dependencies: ["Supervisor", "Commands"]),
        .executableTarget(name: "firstlightctl", dependencies: ["Commands"]),

        // A program's own start, on a host or a server; empty without the trait.
        .target(
            name: "AutoMigratorService",
            dependencies: [
                "AutoMigrator", "SQLite", "Linux",
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["ServiceLifecycle"])),
            ],
            swiftSettings: strict),

        // Host only.
        .target(name: "VirtualBoard", dependencies: ["AutoMigrator", "SQLite", "Linux"]),
        .target(name: "CTorture"),
        .target(name: "CAllocator", dependencies: ["CSQLite"]),
        .target(
            name: "Torture",
            dependencies: ["CTorture", "CAllocator", "CLinux", "AutoMigrator", "SQLite", "CSQLite", "Linux", "VirtualBoard"]),
        .executableTarget(
            name: "firstlight-lab",
            dependencies: [
                "VirtualBoard", "Torture", "SQLite", "Linux",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["Lab"])),
            ]),

        .testTarget(name: "LinuxTests", dependencies: ["Linux"]),
        .testTarget(name: "FrontPanelTests", dependencies: ["FrontPanel", "Linux"]),
        .testTarget(name: "BootSequenceTests", dependencies: ["BootSequence", "AutoMigrator", "DataPartition", "FrontPanel"]),
        .testTarget(
            name: "SupervisorTests", dependencies: ["Supervisor", "BootSequence", "AutoMigrator", "DataPartition", "Linux", "CLinux"]),
        .testTarget(name: "CommandsTests", dependencies: ["Commands", "BootSequence", "AutoMigrator", "DataPartition", "Linux"]),
        // Runs what scripts/build-firmware built.
        .testTarget(name: "ToolTests", dependencies: ["CLinux"]),
        .testTarget(name: "VirtualBoardTests", dependencies: ["VirtualBoard"]),
        .testTarget(name: "BoardTests", dependencies: ["VirtualBoard"]),
        .testTarget(name: "TortureTests", dependencies: ["Torture", "CAllocator", "AutoMigrator", "DataPartition", "SQLite", "CSQLite", "Linux", "CLinux"]),
        .testTarget(
            name: "DataPartitionTests", dependencies: ["DataPartition", "AutoMigrator", "SQLite", "Linux", "CLinux"]),
        .testTarget(name: "AutoMigratorTests", dependencies: ["AutoMigrator", "SQLite", "CSQLite", "Linux"]),
        .testTarget(
            name: "AutoMigratorServiceTests",
            dependencies: [
                "AutoMigratorService", "AutoMigrator", "SQLite", "Linux",
                .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["ServiceLifecycle"])),
            ]),
    ]
)
