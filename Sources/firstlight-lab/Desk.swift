#if Lab
import Foundation
import VirtualBoard

struct Desk {
    init(_ workshop: Workshop) {}
    func run() throws {}
}
#endif
