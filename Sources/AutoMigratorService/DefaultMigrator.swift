#if ServiceLifecycle
internal import AutoMigrator
internal import Linux

/// `AutoMigrator` with nothing overridden.
struct DefaultMigrator: AutoMigrator {
    let repositories: [Repository]
    let reporter: Reporter
}
#endif
