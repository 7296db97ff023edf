internal import BootSequence
internal import Linux

/// `firstlightctl identify`: which of the devices on the wall it is.
struct IdentifyCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let answer = try ControlClient(Target.configuration(options)).ask(.identify, timeout: 5_000)
        let said = answer["seen"]?.boolValue == false ? "there is no LED to show it: [light] line" : "the LED shows it for 15 s"
        standardOutput(options.json ? answer.text + "\n" : said + "\n")
        return ExitCode.wanted
    }
}

/// `firstlightctl light PATTERN`: the application's use of the LED.
struct LightCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let answer = try ControlClient(Target.configuration(options)).ask(.light(options.names[0]), timeout: 5_000)
        if options.json {
            standardOutput(answer.text + "\n")
        } else if answer["seen"]?.boolValue == false {
            standardOutput("not seen now: the LED shows a status that is no plain ready\n")
        }
        return ExitCode.wanted
    }
}
