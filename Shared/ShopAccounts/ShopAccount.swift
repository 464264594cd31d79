public import Concurrency
import Contracts
public import Domain
import Foundation
public import Logging
import Messaging
import PostgreSQL
public import ServiceKit
public import Settings
public import ShopConnectors
import Synchronization
import Transfer

/// The pace and the breaker of one shop account, shared by all replicas through the database.
struct SharedPacing: CallPacing {
    /// Nobody waits longer than this for a turn; the message comes back later instead.
    static let longestWaitSeconds: Double = 60

    let limiter: AccountLimiter
    let breaker: CircuitBreaker
    let alerts: AccountAlerts
    /// How long nobody calls a shop that is out before the next probe.
    private let probeSeconds: Double

    /// - Parameter outage: How many failures in a row open the breaker, and how soon the shop is probed.
    init(
        _ shop: StockbridgeConfiguration.Shop, outage: StockbridgeConfiguration.Outage, pool: PostgresPool,
        alerts: AccountAlerts
    ) {
        let account = ShopAccount.accountName(shop.name)
        limiter = AccountLimiter(
            pool: pool, account: account, perSecond: shop.limits.requestsPerSecond, burst: shop.limits.burst)
        breaker = CircuitBreaker(
            pool: pool, account: account, threshold: outage.failuresInARow,
            probeSeconds: Double(outage.firstProbe.seconds))
        self.alerts = alerts
        probeSeconds = Double(outage.firstProbe.seconds)
    }

    func waitForTurn(calls: Int) async throws(PacingRefusal) {
        let turn: AccountLimiter.Turn
        do throws(PostgresError) {
            turn = try await limiter.takeTurn(calls: calls, probeSeconds: probeSeconds)
        } catch {
            throw .unavailable(detail: error.label)
        }
        switch turn {
        case .breakerOpen:
            // Whoever opened it may be gone: this process closes it if its own probe succeeds.
            await alerts.noteTrouble()
            throw .breakerOpen(retryAfterSeconds: probeSeconds)
        case .probe(let seconds):
            await alerts.noteTrouble()
            try await wait(seconds)
        case .after(let seconds):
            try await wait(seconds)
        }
    }

    private func wait(_ seconds: Double) async throws(PacingRefusal) {
        if seconds <= 0 { return }
        if seconds > Self.longestWaitSeconds { throw .tooLong(waitSeconds: seconds) }
        do { try await Task.sleep(for: .seconds(seconds)) } catch { throw .cancelled }
    }

    func feedback(_ feedback: PaceFeedback) async {
        do throws(PostgresError) {
            if let seconds = feedback.retryAfterSeconds, feedback.countsAsOutage {
                try await limiter.block(seconds: seconds)
            }
            switch feedback.outcome {
            case .answered where !feedback.countsAsOutage:
                if await alerts.hadTrouble(), try await closeBreaker() { await alerts.recovered() }
                if case .answered(200..<300) = feedback.outcome { await alerts.acceptedCredentials() }
            case .answered, .failed:
                await alerts.noteTrouble()
                if try await breaker.failed(reason: Self.reason(feedback)) {
                    await alerts.outage(Self.reason(feedback))
                }
            case .notSent:
                break
            }
        } catch {
            // The call's own result is what counts; a limiter that could not be told is told by the next call.
        }
    }

    /// True when it had been open. The next success tries again what could not be said to the database.
    private func closeBreaker() async throws(PostgresError) -> Bool {
        do throws(PostgresError) { return try await breaker.succeeded() } catch {
            await alerts.noteTrouble()
            throw error
        }
    }

    private static func reason(_ feedback: PaceFeedback) -> String {
        switch feedback.outcome {
        case .answered(let status): "the shop answers with status \(status)"
        case .failed(let timedOut): timedOut ? "the shop does not answer in time" : "the shop cannot be reached"
        case .notSent: "nothing was sent"
        }
    }
}

/// One shop account: its connector, and what it is able to do, asked for when first needed and kept.
public final class ShopAccount: Sendable {
    /// Capabilities are asked for anew after so long.
    static let capabilitySeconds: TimeInterval = 3_600

    /// The shop.
    public let shop: ShopName
    /// Speaks to it; every call takes its turn at the account's shared pace.
    public let connector: any ShopConnector
    /// Tells people about the account's troubles.
    public let alerts: AccountAlerts
    private let clock: WallClock
    private let logger: Logger?
    private let known = Mutex<(capabilities: ShopCapabilities, at: Date)?>(nil)

    /// An account with a connector of any kind; services use ``make(_:parts:)``.
    public init(
        shop: ShopName, connector: any ShopConnector, alerts: AccountAlerts, clock: WallClock, logger: Logger? = nil
    ) {
        self.logger = logger
        self.shop = shop
        self.connector = connector
        self.alerts = alerts
        self.clock = clock
    }

    /// The account's name at the shared limiter and breaker.
    public static func accountName(_ shop: ShopName) -> String { "shop \(shop.rawValue)" }

    /// What the account may do; asks the shop if that was long ago.
    public func capabilities() async throws(ConnectorError) -> ShopCapabilities {
        let now = clock.now()
        if let held = known.withLock({ $0 }), now.timeIntervalSince(held.at) < Self.capabilitySeconds {
            return held.capabilities
        }
        let found = try await connector.discover()
        for note in found.notes { logger?.warning("\(note)") }
        known.withLock { $0 = (found, now) }
        return found
    }

    /// Makes the account of a shop from its configuration; resolves its secrets, and makes no call.
    public static func make(_ shop: StockbridgeConfiguration.Shop, parts: ServiceParts) throws -> ShopAccount {
        let alerts = AccountAlerts(shop: shop.name, parts: parts)
        let outage = parts.configuration.retry.policy(of: parts.name.rawValue).outage
        let pacing = SharedPacing(shop, outage: outage, pool: parts.database.pool, alerts: alerts)
        let connector = try Self.connector(shop, parts: parts, pacing: pacing)
        return ShopAccount(
            shop: shop.name, connector: connector, alerts: alerts, clock: parts.clock, logger: parts.logger)
    }
}
