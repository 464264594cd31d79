import Domain
import Foundation
import ServiceKit

/// Lines leave the index of open ones, and orders of long ago are forgotten.
enum OrderRetention {
    static let everySeconds = 300
    static let rowsAtOnce = 2_000
    /// Lines stay open for the query so long after every source contained them.
    static let reflectedGraceSeconds: Double = 2 * 86_400

    static func rules(_ policy: ReflectionPolicy) -> [RetentionRule] {
        [
            RetentionRule("reflected order lines", atOnce: rowsAtOnce) { transaction, _, atMost in
                try OpenLineStore.closeReflected(
                    policy, graceSeconds: reflectedGraceSeconds, atMost: atMost, in: transaction)
            },
            // Remembered for so long, so that an event that comes again is recognised as old.
            RetentionRule("old orders", atOnce: rowsAtOnce) { transaction, now, atMost in
                let limit = RetentionPeriod.limit(days: RetentionPeriod.recordDays, before: now)
                return try OpenLineStore.forget(placedBefore: limit, atMost: atMost, in: transaction)
            },
        ]
    }
}
