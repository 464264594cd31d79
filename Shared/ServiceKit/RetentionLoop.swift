import Concurrency
public import Foundation
import Logging
public import Messaging
public import PostgreSQL

/// Rows of one kind that leave their table once nobody needs them any more, some in each transaction.
///
/// A rule removes few rows at a time, so that nobody waits for its locks, and skips what another replica is removing.
public struct RetentionRule: Sendable {
    /// Where a step begins, as the one before it says, such as the key of the last row it looked at. Empty at first.
    public typealias Position = [String]

    /// Which rows, as in "old inbox rows"; for the log.
    let rows: String
    let step: @Sendable (_ transaction: Transaction, _ now: Date, _ position: Position) throws -> Position?

    /// A rule that finds what may leave by an index, so that a look at nothing costs nothing.
    ///
    /// - Parameters:
    ///   - rows: Which rows, as in "old inbox rows"; for the log.
    ///   - atOnce: How many leave in one transaction; as long as so many do, more are looked for.
    ///   - remove: Removes at most that many, and returns how many.
    public init(
        _ rows: String, atOnce: Int,
        remove: @escaping @Sendable (_ transaction: Transaction, _ now: Date, _ atMost: Int) throws -> Int
    ) {
        self.rows = rows
        step = { transaction, now, _ in try remove(transaction, now, atOnce) >= atOnce ? [] : nil }
    }

    /// A rule that goes on step by step, for instance through the rows to which others belong.
    ///
    /// - Parameters:
    ///   - rows: Which rows, as in "old inbox rows"; for the log.
    ///   - step: Removes some in one transaction, beginning at a position, and returns where to go on; nil at the end.
    public init(
        _ rows: String,
        step: @escaping @Sendable (_ transaction: Transaction, _ now: Date, _ position: Position) throws -> Position?
    ) {
        self.rows = rows
        self.step = step
    }

    /// Removes all that may leave now, in as many transactions as it takes.
    public func apply(_ pool: PostgresPool, now: Date, stop: StopSignal) async throws {
        var position: Position? = []
        while let present = position, !stop.isStopping {
            position = try await pool.transaction { transaction in try step(transaction, now, present) }
        }
    }
}

/// Looks for rows that may leave, again and again, so that no table grows without a bound.
///
/// Every replica runs it; what one is removing another skips.
public struct RetentionLoop: Sendable {
    private let rules: [RetentionRule]
    private let everySeconds: Int
    private let parts: ServiceParts

    /// - Parameters:
    ///   - rules: What leaves.
    ///   - everySeconds: The pause between two looks.
    ///   - parts: Of the service that owns the tables.
    public init(_ rules: [RetentionRule], everySeconds: Int = 600, parts: ServiceParts) {
        self.rules = rules
        self.everySeconds = everySeconds
        self.parts = parts
    }

    /// Runs until the service stops. A rule that fails keeps no other from its turn.
    public func run() async {
        while !parts.stop.isStopping {
            for rule in rules {
                do {
                    try await rule.apply(parts.database.pool, now: parts.clock.now(), stop: parts.stop)
                } catch {
                    parts.logger.warning("\(rule.rows) not removed, trying later", metadata: ["problem": "\(error)"])
                }
            }
            await parts.stop.sleep(for: .seconds(everySeconds))
        }
    }
}
