import ArgumentParser
import Foundation
import ShopSimulators
import UnixSignals

/// Runs a simulated shop until it is told to stop.
@main
struct ShopSimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-simulator",
        abstract: "A simulated shop: test equipment, never part of a deployment.",
        discussion: """
            Speaks WooCommerce's /wp-json/wc/v3 or Shopify's /admin/api/…/graphql.json for items, orders and webhooks. \
            Orders, faults, the journal of all changes and counts are under /__simulator/ (loopback only, or with \
            --admin-token).

            Example: shop-simulator --port 9001 --catalogue hanoi.jsonl --key ck_hanoi --secret cs_hanoi --name hanoi
            """)

    @Option(help: "Whose protocol it speaks: woocommerce or shopify.") var platform = "woocommerce"
    @Option(help: "Address of a Shopify shop, as its webhooks tell it.") var shopifyDomain: String?
    @Option(help: "A Shopify access token that never ends; others come for --key and --secret.")
    var shopifyToken: String?
    @Option(help: "Currency of its prices.") var currency = "VND"
    @Option(help: "Signs webhooks that have no secret of their own.") var webhookSecret = "whsec_simulator"
    @Option(help: "Milliseconds before each delivery of a webhook.") var webhookLatencyMs = 0
    @Option(help: "PEM file of the authority that receivers of webhooks are checked against.")
    var webhookAuthority: String?
    @Option(help: "File with the seconds that everybody is ahead of the machine's clock.") var clockOffsetFile: String?
    @Option(parsing: .unconditional, help: "Seconds that this shop's clock is ahead of everybody's.")
    var clockSkew = 0.0
    @Option(parsing: .unconditional, help: "Seconds that the shop's local time is ahead of UTC.")
    var utcOffset = 25_200
    @Option(help: "Cost points that a Shopify shop gives back a second; its bucket holds twenty times as many.")
    var pointsPerSecond: Double?
    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 takes any free one.") var port = 0
    @Option(help: "File with one product a line, as JSON.") var catalogue: String
    @Option(help: "Consumer key that is accepted.") var key = "ck_simulator"
    @Option(help: "Consumer secret that is accepted.") var secret = "cs_simulator"
    @Option(help: "What the key may do: read, write or read_write.") var permissions = "read_write"
    @Option(help: "Shown in answers about the simulator.") var name = "simulated shop"
    @Option(help: "Calls a second before 429 is answered; no limit unless stated.") var requestsPerSecond: Double?
    @Option(help: "Calls that may come at once before the limit counts.") var burst: Int?
    @Option(help: "Milliseconds added to every call of the shop's API.") var latencyMs = 0
    @Option(help: "The most items of one batch.") var batchLimit = 100
    @Option(help: "PEM file; with --tls-key the shop speaks HTTPS.") var tlsCertificate: String?
    @Option(help: "PEM file of the private key.") var tlsKey: String?
    @Option(help: "Wanted in X-Simulator-Token for /__simulator/.") var adminToken: String?
    @Option(help: "File that gets the port once it is open.") var portFile: String?
    @Option(help: "File that gets the catalogue with its stock when the simulator stops.") var dump: String?

    func validate() throws {
        if (tlsCertificate == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
        if SimulatorConfiguration.Platform(rawValue: platform) == nil {
            throw ValidationError("--platform is woocommerce or shopify.")
        }
        if SimulatorConfiguration.Permissions(rawValue: permissions) == nil {
            throw ValidationError("--permissions is read, write or read_write.")
        }
    }

    func run() async throws {
        var settings = SimulatorConfiguration()
        (settings.host, settings.port, settings.name) = (host, port, name)
        (settings.key, settings.secret) = (key, secret)
        settings.permissions = .init(rawValue: permissions) ?? .readWrite
        (settings.requestsPerSecond, settings.burst) = (requestsPerSecond, burst)
        (settings.latencyMilliseconds, settings.batchLimit) = (latencyMs, batchLimit)
        (settings.certificateFile, settings.privateKeyFile, settings.adminToken) = (tlsCertificate, tlsKey, adminToken)
        settings.platform = .init(rawValue: platform) ?? .wooCommerce
        settings.shopify.domain = shopifyDomain ?? settings.shopify.domain
        settings.shopify.permanentToken = shopifyToken
        (settings.currency, settings.webhookSecret) = (currency, webhookSecret)
        (settings.webhookLatencyMilliseconds, settings.webhookAuthorityFile) = (webhookLatencyMs, webhookAuthority)
        (settings.clockOffsetFile, settings.clockSkewSeconds) = (clockOffsetFile, clockSkew)
        settings.utcOffsetSeconds = utcOffset
        if let points = pointsPerSecond {
            (settings.shopify.restoreRate, settings.shopify.maximumPoints) = (points, points * 20)
        }
        let products = try CatalogueFile.read(catalogue)
        let simulator = try ShopSimulator(settings, catalogue: products)
        let (portFile, name, host) = (portFile, name, host)
        try await simulator.run(until: [.sigterm, .sigint]) { port in
            print("Simulated shop \"\(name)\": \(products.count) products on \(host):\(port).")
            // Whoever waits for the file reports that it does not come.
            if let portFile { try? "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8) }
        }
        if let dump {
            try CatalogueFile.text(simulator.catalogue()).write(toFile: dump, atomically: true, encoding: .utf8)
        }
    }
}
