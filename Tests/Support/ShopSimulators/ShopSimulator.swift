import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import Synchronization
public import UnixSignals

/// A simulated shop on a port of this machine. Test equipment.
///
/// It speaks its platform's protocol (WooCommerce's REST API v3 or Shopify's Admin GraphQL) for items, orders and
/// webhooks as strictly as the platform, keeps everything in memory, and does what goes wrong in the field when it is
/// told to (``Fault``).
public final class ShopSimulator: Sendable {
    private enum Progress {
        case idle
        case starting(CheckedContinuation<Int, any Error>)
        case running(port: Int)
    }

    let shop: SimulatedShop
    private let held = HeldConnections()
    private let progress = Mutex(Progress.idle)
    private let running = Mutex<(group: ServiceGroup, task: Task<Void, any Error>)?>(nil)

    /// Builds the shop; nothing listens yet.
    ///
    /// - Parameters:
    ///   - configuration: how it behaves.
    ///   - catalogue: what it sells.
    public init(_ configuration: SimulatorConfiguration, catalogue: [CatalogueProduct]) throws {
        shop = try SimulatedShop(configuration, catalogue: catalogue)
    }

    // MARK: - Start and stop

    /// Listens in the background.
    ///
    /// - Returns: the port, once it is open.
    @discardableResult
    public func start() async throws -> Int {
        let group = try makeGroup(signals: [])
        return try await withCheckedThrowingContinuation { continuation in
            progress.withLock { $0 = .starting(continuation) }
            let task = Task {
                do {
                    try await group.run()
                } catch {
                    if let waiting = self.takeStarting() { waiting.resume(throwing: error) }
                    throw error
                }
            }
            running.withLock { $0 = (group, task) }
        }
    }

    /// Listens until the process is told to stop.
    ///
    /// - Parameters:
    ///   - signals: end it gracefully.
    ///   - started: is called with the port once it is open.
    public func run(until signals: [UnixSignal], started: @escaping @Sendable (Int) -> Void) async throws {
        try await makeGroup(signals: signals, started: started).run()
        shop.dispatcher.close()
    }

    /// Closes everything, held connections too; returns when it is done.
    public func stop() async {
        held.closeAll()
        shop.dispatcher.close()
        guard let (group, task) = running.withLock({ $0.take() }) else { return }
        await group.triggerGracefulShutdown()
        // How it ended does not matter to somebody who wanted it to end.
        _ = await task.result
    }

    /// Starts simulators, runs the body, and stops them whatever happens.
    public static func running<Result>(
        _ simulators: some Collection<ShopSimulator>, _ body: () async throws -> Result
    ) async throws -> Result {
        let outcome: Swift.Result<Result, any Error>
        do {
            for simulator in simulators { try await simulator.start() }
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        for simulator in simulators { await simulator.stop() }
        return try outcome.get()
    }

    /// The address to give to a connector, once it listens.
    public var url: String {
        let scheme = shop.configuration.certificateFile == nil ? "http" : "https"
        return progress.withLock { progress in
            if case .running(let port) = progress { "\(scheme)://\(shop.configuration.host):\(port)" } else { "" }
        }
    }

    private func takeStarting() -> CheckedContinuation<Int, any Error>? {
        progress.withLock { progress in
            guard case .starting(let continuation) = progress else { return nil }
            progress = .idle
            return continuation
        }
    }

    private func makeGroup(
        signals: [UnixSignal], started: (@Sendable (Int) -> Void)? = nil
    ) throws -> ServiceGroup {
        var logger = Logger(label: "shop-simulator")
        logger.logLevel = .error
        let configuration = shop.configuration
        let shop = shop
        var server = HTTPServerBuilder.http1(
            configuration: .init(additionalChannelHandlers: [ClientCloseHandler(), ShopDateHandler(shop: shop)]))
        if let certificate = configuration.certificateFile, let key = configuration.privateKeyFile {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            let privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(privateKey))
            // Clients with a pool of idle connections do not answer a close; stopping must not wait for them.
            tls.shutdownTimeout = .milliseconds(100)
            server = try .tls(server, tlsConfiguration: tls)
        }
        let exchange = Exchange(shop: shop, held: held)
        let application = Application(
            responder: CallbackResponder<SimulatorContext> { request, context in
                await exchange.respond(to: request, context)
            },
            server: server,
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port), serverName: "shop-simulator"),
            services: [HeldConnectionsService(held: held)],
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.port
                let scheme = configuration.certificateFile == nil ? "http" : "https"
                self.shop.with { $0.origin = "\(scheme)://\(configuration.host):\(port)" }
                let waiting = self.takeStarting()
                self.progress.withLock { $0 = .running(port: port) }
                waiting?.resume(returning: port)
                started?(port)
            },
            logger: logger)
        var group = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: signals, logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(5)
        return ServiceGroup(configuration: group)
    }
}

// MARK: - What tests ask

extension ShopSimulator {
    /// Lets something go wrong.
    public func inject(_ fault: Fault) {
        let now = SimulatedShop.steadySeconds()
        shop.with { $0.faults.add(fault, at: now) }
    }

    /// Takes back all faults that have not happened.
    public func clearFaults() { shop.with { $0.faults.removeAll() } }

    /// Units that the shop has of an item; nil if it tracks none or has no such item.
    ///
    /// - Parameter key: `product` or `parent/variation`.
    public func stock(of key: String) -> Int? {
        shop.with { state in state.items.find(key: key, sku: nil).flatMap { state.items.stockHolder(of: $0).stock } }
    }

    /// All tracked stock, by `product` or `parent/variation`.
    public var stock: [String: Int] {
        shop.with { state in
            Dictionary(
                uniqueKeysWithValues: state.items.all.values.compactMap { item in item.stock.map { (item.key, $0) } })
        }
    }

    /// Somebody changes an item's stock in the shop itself.
    public func setStock(of key: String, to quantity: Int) {
        shop.with { state in
            guard let item = state.items.find(key: key, sku: nil) else { return }
            state.items.setStock(item.id, manages: true, quantity: quantity, by: Author(source: .site))
        }
    }

    /// A customer buys; false if the shop did not have that many.
    @discardableResult
    public func sell(_ key: String, quantity: Int, oversell: Bool = false) -> Bool {
        shop.with { state in
            guard let item = state.items.find(key: key, sku: nil) else { return false }
            return state.items.sell(item, quantity: quantity, oversell: oversell, by: Author(source: .sale)) != nil
        }
    }

    /// Adds a product.
    public func add(_ product: CatalogueProduct) throws {
        let now = Date()
        try shop.with { state in try state.items.add(product, at: now) }
    }

    /// Deletes a product with its variations; false if there is none.
    @discardableResult
    public func remove(_ productID: Int) -> Bool { shop.with { $0.items.remove(productID) } }

    /// What the shop has now, in the shape of a catalogue file.
    public func catalogue() -> [CatalogueProduct] { shop.with { $0.items.catalogue() } }

    /// All changes of stock since the last reset.
    public var journal: [JournalEntry] { shop.with { $0.items.journal.entries } }

    /// What was counted since the last reset.
    public var statistics: SimulatorStatistics { shop.with { $0.report } }

    /// Empties the journal and sets all counts to 0.
    public func reset() {
        shop.with { state in
            state.items.resetJournal()
            state.resetStatistics()
        }
    }
}

/// Ends the calls that are being held when the simulator is told to stop.
private struct HeldConnectionsService: Service {
    let held: HeldConnections

    func run() async throws {
        try await gracefulShutdown()
        held.closeAll()
    }
}
