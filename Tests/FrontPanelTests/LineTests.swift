import FrontPanel
import Testing

@Suite struct LineTests {
    @Test(arguments: [
        ("none", LineSpec.none), ("", .none), ("gpiochip0:5", .gpio("gpiochip0:5")),
        ("STATUS_LED", .gpio("STATUS_LED")),
        ("/dev/gpiochip0:5", .gpio("/dev/gpiochip0:5")), ("led:status", .led("status")),
        ("led:green:power", .led("green:power")), ("key:RESTART", .key("RESTART", code: 0x198)),
        ("key:POWER", .key("POWER", code: 116)),
    ])
    func readsWhatTheConfigurationNames(text: String, line: LineSpec) {
        #expect(LineSpec(text: text) == line)
        #expect(line.text == (text.isEmpty ? "none" : text))
    }

    @Test(arguments: [
        "led:", "led:..", "led:.", "led:../../etc/passwd", "led:a/b", "key:", "key:NOSUCHKEY", "key:restart",
    ])
    func refusesWhatCanNameNoLine(text: String) {
        #expect(LineSpec(text: text) == nil)
    }

    @Test(arguments: [
        ("as-is", Bias.asIs), ("disabled", .disabled), ("pull-up", .pullUp), ("pull-down", .pullDown),
    ])
    func readsTheBias(text: String, bias: Bias) {
        #expect(Bias(text: text) == bias)
        #expect(Bias(text: "Pull-Up") == nil)
    }

    /// What the line is called, and the raw cause, in one text that ends with what happens next.
    @Test(arguments: [
        ("gpiochip250:5", "gpiochip250:5"), ("/dev/gpiochip250:5", "/dev/gpiochip250:5"),
        ("/dev/null:5", "/dev/null:5"),
        ("NO_SUCH_LINE", "NO_SUCH_LINE"), ("gpiochip250:", "gpiochip250:"), ("gpiochip250:-1", "gpiochip250:-1"),
        ("led:no-such-led", "led:no-such-led: open /sys/class/leds/no-such-led/max_brightness: ENOENT"),
        ("key:RESTART", "key:RESTART is a key"),
    ])
    func aLightThatDoesNotExistIsNamed(text: String, named: String) throws {
        let line = try #require(LineSpec(text: text))
        let error = try #require(throws: FrontPanelError.self) {
            _ = try LightOutput.open(line, activeLow: false, openDrain: false, lit: true)
        }
        #expect(error.text.hasPrefix("[light] line: "))
        #expect(error.text.contains(named))
        #expect(error.text.hasSuffix("; the boot goes on without this LED"))
    }

    @Test(arguments: [
        ("gpiochip250:2", "(ENOENT)"), ("NO_SUCH_LINE", "(ENOENT)"), ("led:status", "led:status is a LED"),
    ])
    func aButtonThatDoesNotExistIsNamed(text: String, named: String) throws {
        let line = try #require(LineSpec(text: text))
        let error = try #require(throws: FrontPanelError.self) {
            _ = try ButtonInput.open(line, activeLow: true, bias: .pullUp)
        }
        #expect(error.text.hasPrefix("[button] line: "))
        #expect(error.text.contains(named))
        #expect(error.text.hasSuffix("; the boot goes on without a button"))
    }

    @Test(arguments: ["NO_SUCH_LINE", "led:no-such-led", "key:RESTART"])
    func theSecondLightIsNamedByItsOwnKey(text: String) throws {
        let line = try #require(LineSpec(text: text))
        let error = try #require(throws: FrontPanelError.self) {
            _ = try LightOutput.open(line, activeLow: false, openDrain: false, lit: false, key: "error")
        }
        #expect(error.text.hasPrefix("[light] error: "))
    }

    /// The offset is 2^32 + 5: cut to 32 bits it would be somebody else's line.
    @Test func anOffsetBeyondAllChipsIsNoLine() throws {
        let line = try #require(LineSpec(text: "gpiochip0:4294967301"))
        let error = try #require(throws: FrontPanelError.self) {
            _ = try LightOutput.open(line, activeLow: false, openDrain: false, lit: true)
        }
        #expect(error.text.contains("find line gpiochip0:4294967301: "))
    }

    @Test func noneDoesNothing() throws {
        let light = try LightOutput.open(.none, activeLow: false, openDrain: false, lit: true)
        light.show(.working, lit: false)
        #expect(light.isDrivenByKernel)
        #expect(light.text == "none")
        let button = try ButtonInput.open(.none, activeLow: true, bias: .pullUp)
        #expect(button.descriptor == -1)
        #expect(!button.isDown)
        #expect(button.edges(now: 0).isEmpty)
        #expect(button.text == "none")
    }
}
