import Dispatch
import Foundation
import Synchronization

/// Everything that a simulated shop knows and counts, behind one lock.
final class SimulatedShop: Sendable {
    struct State: Sendable {
        let configuration: SimulatorConfiguration
        var items: ShopItems
        var orders = ShopOrders()
        var webhooks = ShopWebhooks()
        var clock: ShopClock
        var supportsOrderByModified: Bool
        var webhookLatencyMilliseconds: Int
        /// Scheme, host and port, once it listens.
        var origin = "http://localhost"
        var faults = FaultPlan()
        var statistics = SimulatorStatistics()
        var bucket: TokenBucket?
        var latencyMilliseconds: Int
        /// OAuth nonces of the last 15 minutes with their time stamps.
        var nonces: [String: Int] = [:]
        var lastRequest = 0
        /// Changes in progress per item.
        var inFlight: [String: Int] = [:]
        var shopify = ShopifyState()
    }

    let configuration: SimulatorConfiguration
    let dispatcher: WebhookDispatcher
    private let state: Mutex<State>

    init(_ configuration: SimulatorConfiguration, catalogue: [CatalogueProduct]) throws {
        self.configuration = configuration
        dispatcher = WebhookDispatcher(authorityFile: configuration.webhookAuthorityFile)
        let products = configuration.platform == .shopify ? catalogue.map(\.withStockOfItsVariants) : catalogue
        let items = try ShopItems(products, at: Date())
        let clock = ShopClock(
            offsetSeconds: configuration.clockOffsetSeconds, skewSeconds: configuration.clockSkewSeconds,
            utcOffsetSeconds: configuration.utcOffsetSeconds, offsetFile: configuration.clockOffsetFile)
        var initial = State(
            configuration: configuration, items: items, clock: clock,
            supportsOrderByModified: configuration.supportsOrderByModified,
            webhookLatencyMilliseconds: configuration.webhookLatencyMilliseconds,
            latencyMilliseconds: configuration.latencyMilliseconds)
        initial.shopify = ShopifyState(configuration.shopify)
        initial.bucket = Self.bucket(configuration.requestsPerSecond, configuration.burst)
        state = Mutex(initial)
    }

    /// Looks at the state or changes it; what subscribers are to hear of goes out afterwards.
    func with<Result: Sendable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (result, outgoing) = try state.withLock { (state) throws(Failure) in
            let result = try body(&state)
            return (result, state.takeOutgoing())
        }
        for delivery in outgoing { dispatcher.send(delivery, for: self) }
        return result
    }

    static func bucket(_ rate: Double?, _ burst: Int?) -> TokenBucket? {
        rate.flatMap { $0 > 0 ? TokenBucket(rate: $0, burst: Double(burst ?? Int($0.rounded(.up)))) : nil }
    }

    /// Seconds on a clock that only goes forward.
    static func steadySeconds() -> Double {
        Double(DispatchTime.now().uptimeNanoseconds) / 1e9
    }
}

extension SimulatedShop.State {
    /// A call begins. Returns its number.
    mutating func begin() -> Int {
        lastRequest += 1
        statistics.requests += 1
        statistics.concurrentRequests += 1
        statistics.maximumConcurrentRequests = max(
            statistics.maximumConcurrentRequests, statistics.concurrentRequests)
        return lastRequest
    }

    mutating func end(changing keys: [String]) {
        statistics.concurrentRequests -= 1
        for key in keys {
            let count = (inFlight[key] ?? 1) - 1
            inFlight[key] = count > 0 ? count : nil
        }
    }

    mutating func beginChange(of keys: [String]) {
        statistics.writeRequests += 1
        statistics.itemsWritten += keys.count
        for key in keys {
            let count = (inFlight[key] ?? 0) + 1
            inFlight[key] = count
            statistics.maximumWritesInFlight = max(statistics.maximumWritesInFlight, count)
            if count > 1 { statistics.overlappingWrites[key] = max(statistics.overlappingWrites[key] ?? 0, count) }
        }
    }

    /// The counts, completed by what is counted elsewhere.
    var report: SimulatorStatistics {
        var report = statistics
        report.faults = faults.fired
        report.droppedJournalEntries = items.journal.dropped
        return report
    }

    mutating func resetStatistics() {
        let running = statistics.concurrentRequests
        statistics = SimulatorStatistics()
        statistics.concurrentRequests = running
        faults.resetCounts()
    }
}
