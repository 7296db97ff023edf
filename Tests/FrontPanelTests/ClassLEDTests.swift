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
        try put("[x]\n", "trigger")
        for file in ["brightness", "delay_on", "delay_off", "pattern", "repeat"] { try put("", file) }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func put(_ text: String, _ file: String) throws {
        try text.write(toFile: "\(directory)/\(file)", atomically: false, encoding: .utf8)
    }

    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
    }

    private func remove(_ files: String...) throws {
        for file in files { try FileManager.default.removeItem(atPath: "\(directory)/\(file)") }
    }

    /// What is written while `act` runs, by file.
    private func written(_ act: () throws -> Void) throws -> [String: String] {
        let files = ["trigger", "brightness", "delay_on", "delay_off", "pattern", "hr_pattern", "repeat"].filter {
            FileManager.default.fileExists(atPath: "\(directory)/\($0)")
        }
        for file in files { try put("", file) }
        try act()
        var written: [String: String] = [:]
        for file in files where try text(file) != "" { written[file] = try text(file) }
        return written
    }

    @Test(arguments: [(true, "255"), (false, "0")])
    func isTakenFromItsTriggerAndBeginsAsAsked(lit: Bool, brightness: String) throws {
        _ = try ClassLED.open(directory, lit: lit)
        #expect(try text("trigger") == "none")
        #expect(try text("brightness") == brightness)
    }

    /// Writing the trigger darkens the LED.
    @Test func oneThatNothingMovesIsNotDarkenedToBeLit() throws {
        try put("[none] timer heartbeat\n", "trigger")
        let led = try ClassLED.open(directory, lit: true)
        #expect(try text("trigger") == "[none] timer heartbeat\n")
        #expect(try text("brightness") == "255")
        #expect(try written { led.show(.solid, lit: true) } == [:])
    }

    /// The daemon before this one was killed at its work.
    @Test(arguments: ["timer", "pattern"]) func oneThatBlinksAlreadyBlinksOnUntilTheFirstPattern(trigger: String) throws {
        try put("none [\(trigger)] heartbeat\n", "trigger")
        let led = try ClassLED.open(directory, lit: true)
        #expect(try text("trigger") == "none [\(trigger)] heartbeat\n")
        #expect(try text("brightness") == "")
        #expect(try written { led.show(.solid, lit: true) } == ["trigger": "none", "brightness": "255"])
    }

    @Test func oneThatBlinksAndIsToBeDarkIsDark() throws {
        try put("[timer]\n", "trigger")
        _ = try ClassLED.open(directory, lit: false)
        #expect(try text("trigger").hasPrefix("none"))
        #expect(try text("brightness") == "0")
    }

    @Test func aPatternOfTwoPhasesIsTheTimersAndIsHandedOverOnce() throws {
        let led = try ClassLED.open(directory, lit: true)
        let first = try written { led.show(.recovering, lit: true) }
        #expect(first == ["trigger": "timer", "delay_on": "400", "delay_off": "100"])
        #expect(led.isDrivenByKernel)
        #expect(try written { led.show(.recovering, lit: false) } == [:])
        // The trigger is written only to change it.
        #expect(try written { led.show(.working, lit: true) } == ["delay_on": "200", "delay_off": "200"])
    }

    @Test func aPatternOfManyPhasesIsMadeOfSteps() throws {
        let led = try ClassLED.open(directory, lit: true)
        let first = try written { led.show(.blinks(2), lit: true) }
        let steps = "255 150 255 0 0 250 0 0 255 150 255 0 0 1750 0 0 "
        #expect(first == ["trigger": "pattern", "repeat": "-1", "pattern": steps])
        #expect(led.isDrivenByKernel)
        #expect(try written { led.show(.blinks(2), lit: false) } == [:])
        let wiping = "255 100 255 0 0 100 0 0 255 100 255 0 0 700 0 0 "
        #expect(try written { led.show(.wiping, lit: true) } == ["repeat": "-1", "pattern": wiping])
    }

    @Test func theTimerOfHighResolutionPlaysThePatternWhereThereIsOne() throws {
        try put("", "hr_pattern")
        let led = try ClassLED.open(directory, lit: true)
        let first = try written { led.show(.wiping, lit: true) }
        let wiping = "255 100 255 0 0 100 0 0 255 100 255 0 0 700 0 0 "
        #expect(first == ["trigger": "pattern", "repeat": "-1", "hr_pattern": wiping])
    }

    @Test func afterBlinkingItIsFullyLitOrDark() throws {
        try put("31\n", "max_brightness")
        let led = try ClassLED.open(directory, lit: true)
        led.show(.working, lit: true)
        #expect(try written { led.show(.solid, lit: true) } == ["trigger": "none", "brightness": "31"])
        #expect(led.isDrivenByKernel)
        // To the LED it is the same.
        #expect(try written { led.show(.letGo, lit: true) } == [:])
        #expect(try written { led.show(.off, lit: false) } == ["brightness": "0"])
        #expect(try written { led.show(.blinks(1), lit: true) } == ["trigger": "timer", "delay_on": "150", "delay_off": "1750"])
    }

    @Test func withoutTheTimerThePatternStandsInForIt() throws {
        try remove("delay_on", "delay_off")
        let led = try ClassLED.open(directory, lit: true)
        led.show(.working, lit: true)
        #expect(try text("pattern") == "255 200 255 0 0 200 0 0 ")
        #expect(led.isDrivenByKernel)
    }

    @Test func withoutBothTheEdgesAreOurs() throws {
        try remove("delay_on", "delay_off", "pattern", "repeat")
        let led = try ClassLED.open(directory, lit: true)
        led.show(.working, lit: true)
        #expect(!led.isDrivenByKernel)
        // A trigger that was chosen and then had no such file must not stay.
        #expect(try text("trigger").hasPrefix("none"))
        #expect(try written { led.show(.working, lit: true) } == [:])
        #expect(try written { led.show(.working, lit: false) } == ["brightness": "0"])
        #expect(try written { led.show(.working, lit: false) } == [:])
        #expect(try written { led.show(.working, lit: true) } == ["brightness": "255"])
        #expect(try written { led.show(.solid, lit: true) } == [:])
        #expect(led.isDrivenByKernel)
    }

    /// EINVAL of a kernel that has none of these triggers; /dev/full refuses every write.
    @Test func aTriggerThatIsRefusedLeavesTheEdgesToUs() throws {
        let led = try ClassLED.open(directory, lit: true)
        try remove("trigger")
        try FileManager.default.createSymbolicLink(atPath: "\(directory)/trigger", withDestinationPath: "/dev/full")
        led.show(.working, lit: false)
        #expect(!led.isDrivenByKernel)
        #expect(try text("brightness").hasPrefix("0"))
        #expect(try text("delay_on") == "" && text("pattern") == "")
        // A module that came later is found with the next pattern.
        try remove("trigger")
        try put("", "trigger")
        led.show(.recovering, lit: true)
        #expect(led.isDrivenByKernel)
        #expect(try text("trigger") == "timer")
    }

    @Test func aKernelWithoutTriggersHasUsableLEDs() throws {
        try remove("trigger")
        let led = try ClassLED.open(directory, lit: true)
        #expect(try text("brightness") == "255")
        #expect(try written { led.show(.blinks(3), lit: false) } == ["brightness": "0"])
        // Nothing was created in its place.
        #expect(!FileManager.default.fileExists(atPath: "\(directory)/trigger"))
    }

    /// A trigger that stays would move the LED against every pattern.
    @Test func aTriggerThatCannotBeReadIsAnError() throws {
        try remove("trigger")
        try FileManager.default.createDirectory(atPath: "\(directory)/trigger", withIntermediateDirectories: false)
        let error = try #require(throws: LinuxError.self) { _ = try ClassLED.open(self.directory, lit: true) }
        #expect(error.text == "read \(directory)/trigger: EISDIR")
        #expect(try text("brightness") == "")
    }

    @Test func oneThatCannotBeLitIsAnError() throws {
        try remove("brightness")
        try FileManager.default.createSymbolicLink(atPath: "\(directory)/brightness", withDestinationPath: "/dev/full")
        let error = try #require(throws: LinuxError.self) { _ = try ClassLED.open(self.directory, lit: true) }
        #expect(error.text == "write \(directory)/brightness: ENOSPC")
    }
}
