import Concurrency
import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import SampleConfigurations
import ServiceKit
import Settings
import ShopConnectors
import ShopSimulators
import TestStack
import Testing

@testable import StockPublisher

/// How a test's shop is set up and asked.
struct ShopSetup: Sendable {
    var name: ShopName
    var catalogue: [CatalogueProduct]
    var requestsPerSecond: Double = 100
    var burst = 20
    var inFlight = 2
    var batch = 100
    /// What the simulator answers a second before it says 429.
    var simulatorLimit: Double?
    /// ERP units that everybody keeps back while this shop's orders are not known.
    var staleReserve = 0
    /// Speaks to the shop instead of the platform's connector; there is no simulator then.
    var connector: (any ShopConnector)?
}

/// stock-publisher in one or more replicas, with simulated shops, in a system of its own.
struct PublisherBench: Sendable {
    let system: ScratchSystem
    let simulators: [ShopName: ShopSimulator]
    private let ingestor: Publisher
    private let operatorTool: Publisher
    let collector: Publisher
    let bridge: Publisher
    private let names: [ShopName]

    static func with(
        _ shops: [ShopSetup], replicas: Int = 1, clock: WallClock = .system, attempts: Int = 30,
        _ body: (PublisherBench) async throws -> Void
    ) async throws {
        let services = ServiceCatalogue.services(shops: shops.map(\.name), tiers: ScratchSystem.shortTiers)
        try await ScratchSystem.with(services) { system in
            let simulators = Dictionary(
                uniqueKeysWithValues: try shops.filter { $0.connector == nil }.map { ($0.name, try simulator($0)) })
            let connectors = Dictionary(
                uniqueKeysWithValues: shops.compactMap { shop in shop.connector.map { (shop.name, $0) } })
            try await ShopSimulator.running(simulators.values) {
                let configuration = try configuration(shops, simulators, system, attempts)
                let bench = PublisherBench(system, simulators, shops.map(\.name))
                try await bench.run(replicas, body) {
                    let service = StockPublisherService(
                        configuration: configuration, clock: clock, connectors: connectors)
                    try await service.run()
                }
            }
        }
    }

    private init(_ system: ScratchSystem, _ simulators: [ShopName: ShopSimulator], _ names: [ShopName]) {
        self.names = names
        collector = Publisher(system.broker(.orderCollector))
        bridge = Publisher(system.broker(.erpBridge))
        self.system = system
        self.simulators = simulators
        ingestor = Publisher(system.broker(.stockIngestor))
        operatorTool = Publisher(system.broker(.stockbridge))
    }

    private func run(
        _ replicas: Int, _ body: (PublisherBench) async throws -> Void,
        _ replica: @escaping @Sendable () async throws -> Void
    ) async throws {
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await running(Array(repeating: replica, count: replicas)) { try await body(self) })
        } catch { outcome = .failure(error) }
        await ingestor.close()
        await operatorTool.close()
        await collector.close()
        await bridge.close()
        try outcome.get()
    }

    // MARK: Setting up

    private static func simulator(_ shop: ShopSetup) throws -> ShopSimulator {
        var settings = SimulatorConfiguration()
        settings.name = shop.name.rawValue
        settings.requestsPerSecond = shop.simulatorLimit
        return try ShopSimulator(settings, catalogue: shop.catalogue)
    }

    static func configuration(
        _ shops: [ShopSetup], _ simulators: [ShopName: ShopSimulator], _ system: ScratchSystem, _ attempts: Int
    ) throws -> StockbridgeConfiguration {
        let folder = system.folder
        try system.writeSecrets(["key": "ck_simulator", "secret": "cs_simulator"], in: folder)
        let entries = shops.map { shop in
            """
              - name: \(shop.name)
                platform: woocommerce
                url: \(simulators[shop.name]?.url ?? "http://127.0.0.1:1")
                insecure: true
                credentials: {key: "${file:\(folder.path)/key}", secret: "${file:\(folder.path)/secret}"}
                warehouses: [HN, HCM]
                stale_reserve: \(shop.staleReserve)
                limits: {requests_per_second: \(shop.requestsPerSecond), burst: \(shop.burst), \
            in_flight: \(shop.inFlight), batch: \(shop.batch), request_timeout_seconds: 1}
            """
        }
        let text = SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: folder))
            http: {bind: 127.0.0.1, ports: {stock-ingestor: 0, stock-publisher: 0, notifier: 0}}
            mail: {host: 127.0.0.1, from: stock@hoasen.example}
            erp: {name: odoo, entry_lag_minutes: 60, ship_lag_minutes: 120}
            warehouses: [{name: HN}, {name: HCM}]
            shops:
            \(entries.joined(separator: "\n"))
            retry: {tiers: [1s, 2s], max_attempts: {stock-publisher: \(attempts)}, \
            outage: {first_probe: 1s, longest_probe: 2s}}
            """)
        return try ConfigurationLoader.load(text: text, file: folder.path + "/stockbridge.yaml")
    }

    // MARK: Acting as the other services

    /// A snapshot as stock-ingestor says it: units per code, all of them in the warehouse HN, `chunk` codes a message.
    func stock(
        _ units: [(code: String, units: Int)], sequence: Int64, source: SourceName = "erp", asOf: Date? = nil,
        missing: [ERPCode] = [], chunk: Int = 1_000
    ) async throws {
        let identity = StockAggregated.SnapshotIdentity(
            id: UUID(), source: source, sequence: sequence,
            asOf: asOf ?? Date(timeIntervalSince1970: 1_795_000_000 + Double(sequence) * 60))
        var parts = stride(from: 0, to: units.count, by: chunk).map { Array(units[$0..<min($0 + chunk, units.count)]) }
        if parts.isEmpty && !missing.isEmpty { parts = [[]] }
        var payloads: [StockAggregated] = [
            .header(
                .init(
                    snapshot: identity, receivedAt: Date(), kind: sequence == 1 ? .whole : .difference,
                    baseSequence: sequence == 1 ? nil : sequence - 1, chunks: parts.count, codes: units.count,
                    missing: missing.count, quantities: .gross, fileName: "stock.csv", runID: UUID()))
        ]
        for (index, part) in parts.enumerated() {
            let skus = part.map { entry in
                StockAggregated.SKU(
                    sku: ERPCode(rawValue: entry.code),
                    rows: [.init(warehouse: "HN", onHand: Quantity(entry.units))])
            }
            payloads.append(
                .chunk(
                    .init(
                        snapshot: identity, part: index + 1, parts: parts.count, skus: skus,
                        missing: index == 0 ? missing : [])))
        }
        let messages = try payloads.map { payload in
            try OutboxMessage(
                Event(payload, subject: source.rawValue, correlation: "test", occurredAt: Date()), from: .stockIngestor
            ).outgoing
        }
        let outcomes = try await ingestor.publish(messages)
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    func command(_ verb: Command.Verb, _ arguments: [String: JSONValue]) async throws {
        let message = try OutboxMessage.command(
            verb, arguments: arguments, to: .stockPublisher, from: .stockbridge, requestedBy: "lan", at: Date())
        let outcomes = try await operatorTool.publish([message.outgoing])
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    /// Waits until the shops' catalogues are read and mapped.
    func mapped() async throws {
        let shops = names.count
        try #require(
            try await eventually {
                try await system.number(
                    """
                    SELECT count(*) FROM publishing.shops
                    WHERE catalogue_read_at IS NOT NULL AND NOT remap_pending
                    """) == shops
            }, "the catalogues were not read and mapped in time")
    }

    /// Lets all shops out of shadow.
    func release() async throws {
        try await mapped()
        for shop in names { try await command(.shadowOff, ["shop": .string(shop.rawValue)]) }
        try #require(
            try await eventually { try await system.number("SELECT count(*) FROM publishing.shops WHERE shadow") == 0 })
    }

    // MARK: Looking

    func simulator(_ shop: ShopName = "hanoi") throws -> ShopSimulator { try #require(simulators[shop]) }

    /// Waits until the shop shows this stock and the table knows it.
    func shows(_ units: Int, of listing: String, in shop: ShopName = "hanoi", within: Duration = .seconds(60))
        async throws -> Bool
    {
        let simulator = try simulator(shop)
        return try await eventually(within: within) {
            guard simulator.stock(of: listing) == units else { return false }
            return try await system.number(
                """
                SELECT count(*) FROM publishing.shelves WHERE shop = $1 AND shelf = $2 AND wanted = $3
                AND confirmed_version = version AND expected_at_shop = $3 AND NOT due
                """, [.text(shop.rawValue), .text(listing), .int(units)]) == 1
        }
    }

    /// The levels that an item went through, in order.
    func levels(of listing: String, in shop: ShopName = "hanoi") throws -> [Int] {
        try simulator(shop).journal.filter { $0.id == listing }.compactMap(\.after)
    }

    /// The six counts of the newest run of a shop that has ended.
    func count(_ column: String, of shop: ShopName = "hanoi") async throws -> Int {
        try await system.number(
            """
            SELECT \(column) FROM publishing.runs WHERE shop = $1 AND ended_at IS NOT NULL
            ORDER BY began_at DESC LIMIT 1
            """, [.text(shop.rawValue)])
    }

    /// Whether no run of any shop is open.
    func runsEnded() async throws -> Bool {
        try await eventually {
            try await system.number("SELECT count(*) FROM publishing.runs WHERE ended_at IS NULL") == 0
        }
    }
}

/// Soap, shampoo and cream, with nothing in stock.
let threeProducts = [
    CatalogueProduct(id: 10, sku: "SOAP", name: "Soap", stock: 0),
    CatalogueProduct(id: 11, sku: "SHAMPOO", name: "Dầu gội", stock: 0),
    CatalogueProduct(id: 12, sku: "CREAM", name: "Kem", stock: 0),
]
/// Where a batch of simple products is written.
let batchPath = "/wp-json/wc/v3/products/batch"
