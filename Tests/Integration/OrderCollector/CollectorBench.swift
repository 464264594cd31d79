import Contracts
import Domain
import Foundation
import Messaging
import OrderCollector
import PostgreSQL
import RabbitMQ
import SampleConfigurations
import ServiceKit
import Settings
import ShopSimulators
import Synchronization
import TestStack
import Testing
import Transfer

/// order-collector in one or more replicas, with simulated shops, in a system of its own. Passes come when they are
/// asked for: the schedule is an hour.
struct CollectorBench: Sendable {
    let system: ScratchSystem
    let simulators: [ShopName: ShopSimulator]
    let http = TransferClient(options: TransferOptions())
    private let ports: Ports
    private let others: [ServiceName: Publisher]
    private let inbox = Inbox()

    /// Where the replicas take webhooks.
    final class Ports: Sendable {
        private let ports = Mutex<[Int]>([])
        func add(_ port: Int) { ports.withLock { $0.append(port) } }
        var all: [Int] { ports.withLock { $0 } }
    }

    static func with(
        _ shops: [ShopName] = ["hanoi"], replicas: Int = 1, publicURL: String? = nil, attempts: Int = 30,
        setUp: (ShopSimulator) throws -> Void = { _ in }, _ body: (CollectorBench) async throws -> Void
    ) async throws {
        let services = ServiceCatalogue.services(shops: shops, tiers: ScratchSystem.shortTiers)
        try await ScratchSystem.with(services) { system in
            let simulators = Dictionary(uniqueKeysWithValues: try shops.map { ($0, try simulator($0, setUp)) })
            let bench = CollectorBench(system, simulators)
            try await ShopSimulator.running(simulators.values) {
                let configuration = try bench.configuration(shops, publicURL: publicURL, attempts: attempts)
                try await bench.run(replicas, configuration, body)
            }
        }
    }

    private init(_ system: ScratchSystem, _ simulators: [ShopName: ShopSimulator]) {
        self.system = system
        self.simulators = simulators
        ports = Ports()
        others = [
            .stockbridge: Publisher(system.broker(.stockbridge)), .erpBridge: Publisher(system.broker(.erpBridge)),
            .stockPublisher: Publisher(system.broker(.stockPublisher)),
        ]
    }

    private func run(
        _ replicas: Int, _ configuration: StockbridgeConfiguration, _ body: (CollectorBench) async throws -> Void
    ) async throws {
        let ports = self.ports
        let replica: @Sendable () async throws -> Void = {
            try await OrderCollectorService(configuration: configuration, listening: { ports.add($0) }).run()
        }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await running(Array(repeating: replica, count: replicas)) {
                    try #require(
                        try await eventually { ports.all.count == replicas }, "the replicas did not start in time")
                    try await body(self)
                })
        } catch { outcome = .failure(error) }
        for publisher in others.values { await publisher.close() }
        http.close()
        try outcome.get()
    }

    // MARK: Setting up

    /// Soap, a box of six soaps, and something that no mapping knows.
    static let products = [
        CatalogueProduct(id: 10, sku: "SOAP", name: "Xà phòng", stock: 1_000),
        CatalogueProduct(id: 11, sku: "BOX", name: "Hộp", stock: 1_000),
        CatalogueProduct(id: 12, sku: "NEW", name: "Mới", stock: 1_000),
    ]

    private static func simulator(_ shop: ShopName, _ setUp: (ShopSimulator) throws -> Void) throws -> ShopSimulator {
        var settings = SimulatorConfiguration()
        settings.name = shop.rawValue
        let simulator = try ShopSimulator(settings, catalogue: products)
        try setUp(simulator)
        return simulator
    }

    private func configuration(
        _ shops: [ShopName], publicURL: String?, attempts: Int
    ) throws -> StockbridgeConfiguration {
        let folder = system.folder
        try system.writeSecrets(
            ["key": "ck_simulator", "secret": "cs_simulator", "webhooks": "whsec_simulator"], in: folder)
        let address = publicURL.map { ", public_url: \"\($0)\", insecure: true" } ?? ""
        let entries = shops.map { shop in
            """
              - name: \(shop)
                platform: woocommerce
                url: \(simulators[shop]?.url ?? "")
                insecure: true
                credentials: {key: "${file:\(folder.path)/key}", secret: "${file:\(folder.path)/secret}"}
                warehouses: [HN]
                limits: {requests_per_second: 200, burst: 50, in_flight: 2, batch: 100, request_timeout_seconds: 5}
                orders: {every_seconds: 3600, overlap_minutes: 1, lag_seconds: 0, \
            webhook_secret: "${file:\(folder.path)/webhooks}"}
            """
        }
        let text = SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: folder))
            http: {bind: 127.0.0.1, ports: {order-collector: 0}}
            webhooks: {bind: 127.0.0.1, port: 0, maximum_body_bytes: 65536\(address)}
            mail: {host: 127.0.0.1, from: stock@hoasen.example}
            warehouses: [{name: HN}]
            shops:
            \(entries.joined(separator: "\n"))
            retry: {tiers: [1s, 2s], max_attempts: {order-collector: \(attempts)}, \
            outage: {first_probe: 1s, longest_probe: 2s}}
            """)
        return try ConfigurationLoader.load(text: text, file: folder.path + "/stockbridge.yaml")
    }

    // MARK: Acting

    func simulator(_ shop: ShopName = "hanoi") throws -> ShopSimulator { try #require(simulators[shop]) }

    /// Where a shop posts what it has to say.
    func webhookURL(_ shop: String = "hanoi", replica: Int = 0) -> String {
        "http://127.0.0.1:\(ports.all[replica])/webhooks/\(shop)"
    }

    func command(_ verb: Command.Verb, _ arguments: [String: JSONValue] = [:]) async throws {
        try await publish(
            try OutboxMessage.command(
                verb, arguments: arguments, to: .orderCollector, from: .stockbridge, requestedBy: "lan", at: Date()),
            from: .stockbridge)
    }

    private func publish(_ message: OutboxMessage, from service: ServiceName) async throws {
        let publisher = try #require(others[service])
        let outcomes = try await publisher.publish([message.outgoing])
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    func emit(_ payload: some EventPayload, from service: ServiceName) async throws {
        try await publish(
            try OutboxMessage(
                Event(payload, subject: "test", correlation: "test", occurredAt: Date()), from: service), from: service)
    }

    /// The mapping of soap and of the box, as stock-publisher says it.
    func mapKnownProducts(_ shop: ShopName = "hanoi", sequence: Int64 = 1) async throws {
        try await map([("10", "SOAP", "ERP-SOAP", 1), ("11", "BOX", "ERP-SOAP", 6)], shop, sequence: sequence)
    }

    func map(
        _ entries: [(listing: String, sku: String, code: String, units: Int)], _ shop: ShopName = "hanoi",
        sequence: Int64
    ) async throws {
        try await emit(
            MappingChanged(
                shop: shop, sequence: sequence,
                entries: entries.map { entry in
                    MappingChanged.Entry(
                        listing: ListingID(rawValue: entry.listing), sku: ShopSKU(rawValue: entry.sku), state: "mapped",
                        erpCode: ERPCode(rawValue: entry.code), unitsPerPack: entry.units)
                }),
            from: .stockPublisher)
        let listing = entries.last?.listing ?? ""
        try #require(
            try await holds("SELECT count(*) FROM orders.mapping WHERE shop = '\(shop)' AND listing = '\(listing)'"))
    }

    /// Asks for a pass or a repair and waits until it is over.
    @discardableResult
    func collect(
        _ verb: Command.Verb = .collect, _ shop: ShopName = "hanoi", within: Duration = .seconds(60)
    ) async throws -> OrdersCollected {
        let request = UUID()
        try await command(
            verb, ["shop": .string(shop.rawValue), "request": .string(request.uuidString.lowercased())])
        var found: OrdersCollected?
        _ = try await eventually(within: within) {
            found = try await collected().first { $0.request == request }
            return found != nil
        }
        return try #require(found, "no pass ended in time")
    }

    // MARK: Looking

    func number(_ sql: String) async throws -> Int { try await system.number(sql) }

    /// Waits until a number is 1 or more, or exactly what is wanted.
    func holds(_ sql: String, _ wanted: Int? = nil, within: Duration = .seconds(60)) async throws -> Bool {
        try await eventually(within: within) {
            let found = try await system.number(sql)
            return wanted.map { $0 == found } ?? (found > 0)
        }
    }

    /// All that erp-bridge was told so far, in the order of its arrival.
    func told() async throws -> [OrderChanged] {
        try await drain()
        return inbox.orders
    }

    /// All passes that ended so far.
    func collected() async throws -> [OrdersCollected] {
        try await drain()
        return inbox.collected
    }

    /// All holds and alerts that notifier was told so far.
    func heard() async throws -> (holds: [OrderHeld], alerts: [AlertRaised], cleared: [AlertCleared]) {
        try await drain()
        return (inbox.held, inbox.alerts, inbox.cleared)
    }

    private func drain() async throws {
        for queue in ["erp-bridge", "notifier"] {
            let waiting = try await system.ready(queue)
            guard waiting > 0 else { continue }
            for delivery in try await system.take(waiting, from: queue, within: .seconds(10)) {
                try inbox.add(delivery)
            }
        }
    }

    /// What was taken from the queues of the other services.
    final class Inbox: Sendable {
        private struct State {
            var orders: [OrderChanged] = []
            var collected: [OrdersCollected] = []
            var held: [OrderHeld] = []
            var alerts: [AlertRaised] = []
            var cleared: [AlertCleared] = []
        }
        private let state = Mutex(State())

        var orders: [OrderChanged] { state.withLock { $0.orders } }
        var collected: [OrdersCollected] { state.withLock { $0.collected } }
        var held: [OrderHeld] { state.withLock { $0.held } }
        var alerts: [AlertRaised] { state.withLock { $0.alerts } }
        var cleared: [AlertCleared] { state.withLock { $0.cleared } }

        func add(_ delivery: Delivery) throws {
            try state.withLock { state in
                switch delivery.properties.type {
                case OrdersCollected.type.name: state.collected.append(try ContractCoding.decode(from: delivery.body))
                case OrderHeld.type.name: state.held.append(try ContractCoding.decode(from: delivery.body))
                case AlertRaised.type.name: state.alerts.append(try ContractCoding.decode(from: delivery.body))
                case AlertCleared.type.name: state.cleared.append(try ContractCoding.decode(from: delivery.body))
                case let type? where OrderChanged.topics.contains(type):
                    state.orders.append(try ContractCoding.decode(from: delivery.body))
                default: break
                }
            }
        }
    }
}
