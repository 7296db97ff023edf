/// Firstlight's own version, in `status.json` and `--version`.
public let firstlightVersion = "1.0.0"
