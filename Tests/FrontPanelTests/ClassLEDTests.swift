import Foundation
import Linux
import Testing

@testable import FrontPanel

/// Plain files stand for the kernel's: one that is written keeps whatever the new text does not cover.
@Suite final class ClassLEDTests {
    private let directory =
        FileManager.default.temporaryDirectory.appendingPathComponent("led-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try put("255\n", "max_brightness")
        try put("", "trigger")
        try put("", "brightness")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func put(_ text: String, _ file: String) throws {
        try text.write(toFile: "\(directory)/\(file)", atomically: false, encoding: .utf8)
    }

    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
    }

    @Test(arguments: [(true, "255"), (false, "0")])
    func isTakenFromItsTriggerAndBeginsAsAsked(lit: Bool, brightness: String) throws {
        _ = try ClassLED.open(directory, lit: lit)
        #expect(try text("trigger") == "none")
        #expect(try text("brightness") == brightness)
    }

    @Test func isFullyLitOrDark() throws {
        let led = try ClassLED.open(directory, lit: false)
        try put("", "brightness")
        try led.set(true)
        #expect(try text("brightness") == "255")
        try put("", "brightness")
        try led.set(false)
        #expect(try text("brightness") == "0")
    }

    @Test func aKernelWithoutTriggersHasUsableLEDs() throws {
        try FileManager.default.removeItem(atPath: "\(directory)/trigger")
        _ = try ClassLED.open(directory, lit: true)
        #expect(try text("brightness") == "255")
        // Nothing was created in its place.
        #expect(!FileManager.default.fileExists(atPath: "\(directory)/trigger"))
    }

    /// A trigger that stays would move the LED against every pattern.
    @Test func aTriggerThatCannotBeTakenAwayIsAnError() throws {
        try FileManager.default.removeItem(atPath: "\(directory)/trigger")
        try FileManager.default.createDirectory(atPath: "\(directory)/trigger", withIntermediateDirectories: false)
        let error = try #require(throws: LinuxError.self) { _ = try ClassLED.open(self.directory, lit: true) }
        #expect(error.text == "open \(directory)/trigger: EISDIR")
        #expect(try text("brightness") == "")
    }
}
