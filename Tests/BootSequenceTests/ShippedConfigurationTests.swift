import Foundation
import Testing

@testable import BootSequence

/// rootfs-overlay/etc/firstlight.conf is what most people will know of the configuration: it has every key, and tells no wrong default.
@Suite struct ShippedConfigurationTests {
    private static let sections = ["boot", "data", "database app", "light", "button", "status", "hooks", "watchdog"]

    private static let shipped = try! String(contentsOfFile: "rootfs-overlay/etc/firstlight.conf", encoding: .utf8)

    /// The reader has no list of its keys, but it refuses what is none: asked is every word of its sources that could be one.
    private static let known: [(section: String, key: String)] = {
        let sources = ["ConfigurationReader.swift", "RepositoryKeys.swift"].map {
            try! String(contentsOfFile: "Sources/BootSequence/\($0)", encoding: .utf8)
        }
        let words = Set(sources.joined().matches(of: /"([a-z][a-z-]*)"/).map { String($0.1) }).sorted()
        return sections.flatMap { section in
            words.filter { key in !read("[\(section)]\n\(key) =").mistakes.contains { $0.reason.contains("unknown key") } }.map { (section, $0) }
        }
    }()

    private static func read(_ text: String) -> ConfigurationReader {
        var reader = ConfigurationReader()
        reader.read(text: text, file: "f.conf")
        reader.finish()
        return reader
    }

    /// What is wrong with a file that is to have every key, once, either set or, behind `#`, with its default.
    private static func faults(_ text: String) -> [String] {
        var (faults, section, found) = ([String](), "", [String]())
        for line in text.split(separator: "\n") {
            if let name = line.wholeMatch(of: /\[(.*)\]/) { section = String(name.1) }
            guard let setting = line.wholeMatch(of: /(#?)([a-z-]+) =(.*)/) else { continue }
            let key = "[\(section)] \(setting.2)"
            if found.contains(key) { faults.append("\(key): twice") }
            found.append(key)
            if setting.1.isEmpty { continue }
            let reader = read("[database app]\n[\(section)]\n\(setting.2) =\(setting.3)")
            if let mistake = reader.mistakes.first { faults.append("\(key): \(mistake.text)") }
            if described(reader) != described(read("[database app]")) { faults.append("\(key) =\(setting.3): not the default") }
        }
        for (section, key) in known where !found.contains("[\(section)] \(key)") { faults.append("[\(section)] \(key): missing") }
        return faults
    }

    private static func described(_ reader: ConfigurationReader) -> String { String(reflecting: reader.configuration) }

    @Test func hasEveryKeyAndTellsNoWrongDefault() {
        #expect(Self.faults(Self.shipped) == [])
        // Of a reader that refuses nothing, or of sources that are elsewhere, nothing would be asked.
        #expect(Self.known.count >= 40 && !Self.known.contains { $0.key == "full" })
    }

    @Test func aMissingKeyIsSeen() {
        for (section, key) in Self.known {
            var inside = false
            let without = Self.shipped.split(separator: "\n").filter { line in
                if line.hasPrefix("[") { inside = line == "[\(section)]" }
                return !(inside && (line.hasPrefix("\(key) =") || line.hasPrefix("#\(key) =")))
            }
            #expect(Self.faults(without.joined(separator: "\n")).contains("[\(section)] \(key): missing"))
        }
    }

    @Test func aWrongDefaultIsSeen() {
        for (right, wrong) in [
            ("#limit = 10min", "#limit = 5min"), ("#snapshots = 2", "#snapshots = 3"), ("#on-failure = restore, rebuild", "#on-failure = restore"),
            ("#hold = 5s", "#hold = 3s"), ("#device = none", "#device = /dev/watchdog0"), ("#bias = pull-up", "#bias = pull-uo"), ("#group = firstlight", "#group = led"),
            ("#on-ready =", "#on-ready = true"), ("#preserve =", "#preserve = identity"),
        ] {
            #expect(Self.shipped.contains(right))
            #expect(!Self.faults(Self.shipped.replacingOccurrences(of: right, with: wrong)).isEmpty, "\(wrong)")
        }
    }
}
