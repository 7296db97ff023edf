#if Lab
import Dispatch
import Foundation

/// Ends the program in order when somebody presses Ctrl-C or asks it to end: what `cleanUp` does, then the exit code of the signal.
///
/// QEMU needs no care: it dies with this process, however that dies.
final class Interruption {
    private let sources: [any DispatchSourceSignal]

    init(_ cleanUp: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                cleanUp()
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}
#endif
