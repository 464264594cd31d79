import Concurrency
import Foundation
import ServiceKit

/// The time that the services go by: the machine's, unless a demonstration shifts it.
enum OperatorClock {
    static var now: Date { ProcessClock.wall.now() }
}
