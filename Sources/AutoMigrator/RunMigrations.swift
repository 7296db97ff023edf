internal import Linux

/// The words of `RUN_MIGRATIONS`, as Ecto.AutoMigrator's users write them.
public enum RunMigrations {
    /// Unset, empty, `0`, `false`, `no` and `off` mean no; anything else means yes.
    public static func isOn(_ value: String?) -> Bool {
        guard let value else { return false }
        return !["", "0", "false", "no", "off"].contains(Text.lowercase(Text.trim(value)))
    }
}
