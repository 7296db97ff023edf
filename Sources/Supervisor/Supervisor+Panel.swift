internal import AutoMigrator
internal import BootSequence
internal import FrontPanel
internal import Linux

/// LED and button.
extension Supervisor {
    func take(_ gestures: [ResetButton.Gesture], now: Int64) {
        for gesture in gestures {
            switch gesture {
            case .held: light.show(.held, in: .gesture, at: now)
            case .letGo: light.show(.letGo, in: .gesture, at: now)
            case .cancelled: light.show(nil, in: .gesture, at: now)
            case .resetAtStart:
                light.show(nil, in: .gesture, at: now)
                log.warning("factory reset: the button was held at power-on; the data partition is erased now")
                handle(.reset)
            case .windowClosed:
                light.show(nil, in: .gesture, at: now)
                handle(.windowClosed)
            case .reset:
                // Accepted: a migration is not interrupted for it, but nobody need hold the button again.
                acceptReset(now: now)
                log.warning("factory reset: the button was held for \(configuration.hold / 1000) s\(machine.isReady ? "" : "; it waits for READY")")
                handle(.order(.factoryReset(reason: "button held while running", reboot: true)))
            case .pressed:
                press(now: now)
            case .stuck:
                let text = "[button] line: down for \(ResetButton.stuckTime / 1000) s; taken for stuck and ignored"
                log.warning(text)
                if !panelTroubles.contains(text) { panelTroubles.append(text) }
            }
        }
    }

    private func press(now: Int64) {
        switch configuration.press {
        case .none: break
        case .identify: light.show(.identify, in: .identify, at: now)
        case .reboot:
            log.warning("the button was pressed: reboot\(machine.isReady ? "" : ", behind READY")")
            handle(.order(.reboot))
        }
    }

    /// The LED's answer to a reset that will be done; the button has nothing more to say.
    func acceptReset(now: Int64) {
        isResetting = true
        light.show(.wiping, in: .gesture, at: now)
        button.suspend()
    }

    /// What was asked for at the panel could not be done: five blinks, as long as `identify` lasts; and the button counts again.
    func showFailure(now: Int64) {
        isResetting = false
        light.show(nil, in: .gesture, at: now)
        light.show(.blinks(5), in: .identify, at: now)
        button.resume()
    }

    /// Its device may go while the appliance runs.
    func noticeLostButton() {
        if buttonWasThere && input.descriptor < 0 {
            buttonWasThere = false
            let text = "[button] line: \(input.text): the device is gone; the appliance goes on without a button"
            log.warning(text)
            panelTroubles.append(text)
            publish()
        }
    }

    /// `firstlightctl light`.
    func showApplication(_ text: String, now: Int64) -> JSON {
        let pattern = text == "release" ? nil : LightPattern(application: text)
        if pattern == nil && text != "release" {
            return ControlSocket.error("light \(text): it must be on, off, release, or ON/OFF[,ON/OFF]... in milliseconds, each from 20 to 60000")
        }
        light.show(pattern, in: .application, at: now)
        return .object([("done", .string("light")), ("seen", .bool(statusPattern == .solid))])
    }

    func showStatus(now: Int64) {
        light.show(statusPattern, in: .status, at: now)
        let isWrong = machine.isReady && machine.outcome >= .restored
        errorOutput.show(isWrong ? .solid : .off, lit: isWrong)
    }

    var statusPattern: LightPattern { machine.pattern(phase: worker?.phase ?? .working) }
}
