/// Firstlight's own version, in `status.json` and `--version`.
public let firstlightVersion = "0.1.0"
