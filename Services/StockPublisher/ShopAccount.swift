import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Settings
import ShopConnectors
import Synchronization
import Transfer

/// The pace and the breaker of one shop account, shared by all replicas through the database.
struct SharedPacing: CallPacing {
    /// Nobody waits longer than this for a turn; the message comes back later instead.
    static let longestWaitSeconds: Double = 60
    /// Failures in a row that open the breaker, and how long nobody calls before a probe.
    static let breakerThreshold = 5
    static let probeSeconds: Double = 10

    let pool: PostgresPool
    let account: String
    let perSecond: Double
    let burst: Int
    let alerts: AccountAlerts

    func waitForTurn(calls: Int) async throws(PacingRefusal) {
        let seconds: Double
        do throws(PostgresError) {
            let rows = try await pool.query(
                "SELECT permission, seconds FROM shared.take_turn($1, $2, $3, $4, $5)",
                [
                    .text(account), .int(calls), .double(perSecond), .int(burst), .double(Self.probeSeconds),
                ])
            guard let row = rows.first else { return }
            if try row.decode("permission", as: String.self) == "open" {
                throw PostgresError.wrongState("open")
            }
            seconds = try row.decode("seconds", as: Double.self)
        } catch {
            if case .wrongState("open") = error { throw .breakerOpen(retryAfterSeconds: Self.probeSeconds) }
            throw .unavailable(detail: error.label)
        }
        guard seconds > 0 else { return }
        if seconds > Self.longestWaitSeconds { throw .tooLong(waitSeconds: seconds) }
        do { try await Task.sleep(for: .seconds(seconds)) } catch { throw .cancelled }
    }

    func feedback(_ feedback: PaceFeedback) async {
        do throws(PostgresError) {
            if let seconds = feedback.retryAfterSeconds, feedback.countsAsOutage {
                _ = try await pool.query(
                    "SELECT shared.block_calls($1, $2)", [.text(account), .double(min(max(0, seconds), 3_600))])
            }
            let breaker = CircuitBreaker(
                pool: pool, account: account, threshold: Self.breakerThreshold, probeSeconds: Self.probeSeconds)
            switch feedback.outcome {
            case .answered where !feedback.countsAsOutage:
                if await alerts.hadTrouble(), try await breaker.succeeded() { await alerts.recovered() }
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

    private static func reason(_ feedback: PaceFeedback) -> String {
        switch feedback.outcome {
        case .answered(let status): "the shop answers with status \(status)"
        case .failed(let timedOut): timedOut ? "the shop does not answer in time" : "the shop cannot be reached"
        case .notSent: "nothing was sent"
        }
    }
}

/// One shop account: its connector, and what it is able to do, asked for when first needed and kept.
final class ShopAccount: Sendable {
    /// Capabilities are asked for anew after so long.
    static let capabilitySeconds: TimeInterval = 3_600

    let shop: ShopName
    let connector: any ShopConnector
    let alerts: AccountAlerts
    private let clock: WallClock
    private let known = Mutex<(capabilities: ShopCapabilities, at: Date)?>(nil)

    init(shop: ShopName, connector: any ShopConnector, alerts: AccountAlerts, clock: WallClock) {
        self.shop = shop
        self.connector = connector
        self.alerts = alerts
        self.clock = clock
    }

    /// The account's name at the shared limiter and breaker.
    static func accountName(_ shop: ShopName) -> String { "shop \(shop.rawValue)" }

    func capabilities() async throws(ConnectorError) -> ShopCapabilities {
        let now = clock.now()
        if let held = known.withLock({ $0 }), now.timeIntervalSince(held.at) < Self.capabilitySeconds {
            return held.capabilities
        }
        let found = try await connector.discover()
        known.withLock { $0 = (found, now) }
        return found
    }

    /// Makes the account of a shop from its configuration.
    static func make(_ shop: StockbridgeConfiguration.Shop, parts: ServiceParts) throws -> ShopAccount {
        let alerts = AccountAlerts(shop: shop.name, parts: parts)
        let pacing = SharedPacing(
            pool: parts.database.pool, account: accountName(shop.name), perSecond: shop.limits.requestsPerSecond,
            burst: shop.limits.burst, alerts: alerts)
        switch shop.platform {
        case .woocommerce:
            let configuration = WooCommerceConfiguration(
                shop: shop.name, url: shop.url,
                key: try shop.credentials.key.resolve(service: parts.name.rawValue).reveal(),
                secret: try shop.credentials.secret.resolve(service: parts.name.rawValue).reveal(),
                caFile: shop.caFile, requestTimeoutSeconds: shop.limits.requestTimeoutSeconds,
                batchLimit: shop.limits.batch)
            let connector = WooCommerceConnector(
                configuration, http: parts.transfer, pacing: pacing, clock: parts.clock)
            return ShopAccount(shop: shop.name, connector: connector, alerts: alerts, clock: parts.clock)
        }
    }
}
