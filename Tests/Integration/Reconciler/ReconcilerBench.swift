import Concurrency
import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import Reconciler
import SampleConfigurations
import ServiceKit
import Settings
import ShopSimulators
import Synchronization
import TestStack
import Testing

/// The company's time, which a test moves. Begins on 22 November 2026 at 06:02 in Vietnam.
final class MovableClock: Sendable {
    static let start = Date(timeIntervalSince1970: 1_795_302_120)
    private let ahead = Mutex<TimeInterval>(MovableClock.start.timeIntervalSinceNow)

    var now: Date { Date().addingTimeInterval(ahead.withLock { $0 }) }

    /// Jumps to so many minutes after 06:00 of the day `day` days later.
    func jump(toMinute minute: Int, day: Int = 0) {
        let target = Self.start.addingTimeInterval(Double(day) * 86_400 + Double(minute) * 60 - 120)
        ahead.withLock { $0 = target.timeIntervalSinceNow }
    }

    var wall: WallClock { WallClock { self.now } }

    /// Seconds that it is ahead of the machine's.
    var offsetSeconds: Double { ahead.withLock { $0 } }
}

/// reconciler in one or more replicas, with simulated shops and a stand-in for stock-publisher.
struct ReconcilerBench: Sendable {
    let system: ScratchSystem
    let simulators: [ShopName: ShopSimulator]
    let clock: MovableClock
    let publisher: StockPublisherStandIn
    private let collector: Publisher
    private let operatorTool: Publisher

    static func with(
        _ catalogues: [ShopName: [CatalogueProduct]], replicas: Int = 1, repairs: Bool = false,
        shopify: Set<ShopName> = [], attempts: Int = 30, _ body: (ReconcilerBench) async throws -> Void
    ) async throws {
        let shops = catalogues.keys.sorted()
        let services = ServiceCatalogue.services(shops: shops, tiers: ScratchSystem.shortTiers)
        try await ScratchSystem.with(services) { system in
            let simulators = Dictionary(
                uniqueKeysWithValues: try catalogues.map { shop, catalogue in
                    (shop, try simulator(shop, catalogue, isShopify: shopify.contains(shop)))
                })
            try await ShopSimulator.running(simulators.values) {
                let configuration = try configuration(
                    shops, simulators, system, repairs: repairs, shopify: shopify, attempts: attempts)
                let bench = ReconcilerBench(system, simulators)
                try await bench.run(replicas, configuration, body)
            }
        }
    }

    private init(_ system: ScratchSystem, _ simulators: [ShopName: ShopSimulator]) {
        self.system = system
        self.simulators = simulators
        clock = MovableClock()
        publisher = StockPublisherStandIn(system: system, clock: clock)
        collector = Publisher(system.broker(.orderCollector))
        operatorTool = Publisher(system.broker(.stockbridge))
        moveShops()
    }

    /// Jumps to so many minutes after 06:00 of the day `day` days later; the shops' clocks go along.
    func jump(toMinute minute: Int, day: Int = 0) {
        clock.jump(toMinute: minute, day: day)
        moveShops()
    }

    private func moveShops() {
        for simulator in simulators.values { simulator.setClock(offsetSeconds: clock.offsetSeconds) }
    }

    private func run(
        _ replicas: Int, _ configuration: StockbridgeConfiguration, _ body: (ReconcilerBench) async throws -> Void
    ) async throws {
        let (clock, publisher) = (clock, publisher)
        let replica: @Sendable () async throws -> Void = {
            try await ReconcilerService(configuration: configuration, clock: clock.wall).run()
        }
        let services = Array(repeating: replica, count: replicas) + [{ try await publisher.answer() }]
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await running(services) { try await body(self) }) } catch {
            outcome = .failure(error)
        }
        await publisher.close()
        await collector.close()
        await operatorTool.close()
        try outcome.get()
    }

    private static func simulator(
        _ shop: ShopName, _ catalogue: [CatalogueProduct], isShopify: Bool
    ) throws -> ShopSimulator {
        var settings = SimulatorConfiguration()
        settings.name = shop.rawValue
        if isShopify {
            settings.platform = .shopify
            settings.shopify.permanentToken = "shpat_simulator"
        }
        return try ShopSimulator(settings, catalogue: catalogue)
    }

    private static func configuration(
        _ shops: [ShopName], _ simulators: [ShopName: ShopSimulator], _ system: ScratchSystem,
        repairs: Bool, shopify: Set<ShopName>, attempts: Int
    ) throws -> StockbridgeConfiguration {
        let folder = system.folder
        try system.writeSecrets(
            ["key": "ck_simulator", "secret": "cs_simulator", "token": "shpat_simulator"], in: folder)
        let entries = shops.map { shop in
            let isShopify = shopify.contains(shop)
            let credentials =
                isShopify
                ? "{access_token: \"${file:\(folder.path)/token}\"}"
                : "{key: \"${file:\(folder.path)/key}\", secret: \"${file:\(folder.path)/secret}\"}"
            return """
                  - name: \(shop)
                    platform: \(isShopify ? "shopify" : "woocommerce")
                    url: \(simulators[shop]?.url ?? "")
                    insecure: true
                    credentials: \(credentials)
                    warehouses: [HN]
                    reconcile_repairs: \(repairs)
                    limits: {requests_per_second: 200, burst: 50, in_flight: 2, batch: 100, \
                request_timeout_seconds: 2}
                """
        }
        let text = SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: folder))
            http: {bind: 127.0.0.1, ports: {reconciler: 0}}
            mail: {host: 127.0.0.1, from: stock@hoasen.example}
            warehouses: [{name: HN}]
            shops:
            \(entries.joined(separator: "\n"))
            reconciliation: {mail_by: {cron: "30 6 * * *"}, to: operations}
            retry: {tiers: [1s, 2s], max_attempts: {reconciler: \(attempts)}, \
            outage: {first_probe: 1s, longest_probe: 2s}}
            """)
        return try ConfigurationLoader.load(text: text, file: folder.path + "/stockbridge.yaml")
    }

    // MARK: Acting as the other services

    /// An order of one listing, as order-collector says it.
    func order(_ id: String, in shop: ShopName, listing: String, units: Int, at time: Date? = nil) async throws {
        let time = time ?? clock.now
        let price = Amount(units * 10)
        let line = OrderLine(
            id: "1", listing: ListingID(rawValue: listing), sku: nil, name: "Soap", quantity: Quantity(units),
            orderedQuantity: Quantity(units), unitNet: Amount(10), unitGross: Amount(10), total: price)
        let order = Order(
            shop: shop, externalID: id, number: id, placedAt: time, updatedAt: time,
            status: OrderStatus(shopStatus: "processing", payment: .paid), currency: "VND", lines: [line],
            totals: OrderTotals(total: price))
        let payload = OrderChanged(
            change: .created, order: order, version: OrderVersion(revision: 1, stateVersion: 0),
            lines: [OrderLineMapping(lineID: "1", erpCode: nil, unitsPerPack: 1, erpQuantity: Quantity(units))],
            learntAt: time)
        try await send(payload, from: .orderCollector, over: collector)
    }

    func collected(_ shop: ShopName, upTo: Date) async throws {
        let payload = OrdersCollected(
            shop: shop, kind: .pass, completeUpTo: upTo, seen: 0, changed: 0, collectedAt: upTo)
        try await send(payload, from: .orderCollector, over: collector)
    }

    func command(_ verb: Command.Verb, _ arguments: [String: JSONValue] = [:]) async throws {
        let message = try OutboxMessage.command(
            verb, arguments: arguments, to: .reconciler, from: .stockbridge, requestedBy: "lan", at: clock.now)
        try #require(try await operatorTool.publish([message.outgoing]).allSatisfy { $0 == .confirmed })
    }

    private func send(_ payload: some EventPayload, from service: ServiceName, over publisher: Publisher) async throws {
        let event = Event(payload, subject: "test", correlation: "test", occurredAt: clock.now)
        let outcomes = try await publisher.publish([try OutboxMessage(event, from: service).outgoing])
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    // MARK: Looking

    /// Waits until a count has come to this.
    func reaches(_ count: Int, _ sql: String) async throws {
        try #require(try await eventually { try await system.number(sql) == count }, "never \(count): \(sql)")
    }

    func simulator(_ shop: ShopName) throws -> ShopSimulator { try #require(simulators[shop]) }

    /// The next reconciliation that notifier is told about; nil if none comes.
    func nextReport(within: Duration = .seconds(60)) async throws -> ReconciliationCompleted? {
        let end = ContinuousClock.now + within
        while ContinuousClock.now < end {
            guard let delivery = try await system.take(1, from: "notifier", within: end - .now).first else {
                return nil
            }
            guard delivery.properties.type == ReconciliationCompleted.type.name else { continue }
            return try ContractCoding.decode(ReconciliationCompleted.self, from: delivery.body)
        }
        return nil
    }

    /// The listings of a shop that differ, with where the shop keeps their stock.
    func seen(in shop: ShopName) async throws -> [(listing: String, shelf: String, sku: String)] {
        let connection = PostgresConnection(system.databaseAdministrator)
        defer { Task { await connection.close() } }
        return try await connection.query(
            "SELECT listing, shelf, sku FROM reconciliation.differences WHERE shop = $1 ORDER BY listing",
            [.text(shop.rawValue)]
        ).map { (try $0.decode(at: 0), try $0.decode(at: 1), try $0.decode(at: 2)) }
    }

    /// A stored file.
    func file(_ id: UUID) async throws -> [UInt8] {
        let connection = PostgresConnection(system.databaseAdministrator)
        defer { Task { await connection.close() } }
        let row = try #require(
            try await connection.query("SELECT content FROM shared.read_file($1)", [.uuid(id)]).first)
        let hex = try row.decode(at: 0, as: String.self).dropFirst(2)
        var bytes: [UInt8] = []
        var digits = hex.makeIterator()
        while let high = digits.next()?.hexDigitValue, let low = digits.next()?.hexDigitValue {
            bytes.append(UInt8(high * 16 + low))
        }
        return bytes
    }
}
