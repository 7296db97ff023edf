@c(firstlightctl_entry)
public func firstlightctl_entry(argc: Int32, argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 { 0 }
