import Contracts
import Domain
import Foundation
import Testing

@testable import Settings

@Suite("What orders need is read with its defaults, and its mistakes are named")
struct OrderSettingsTests {
    static let platform = ProblemTests.platform
    static let account = #"credentials: {key: "${env:KEY}", secret: "${env:SECRET}"}"#

    /// The minimal configuration with its shop at Shopify.
    static func shopify(_ credentials: String, more: String = "") -> String {
        minimal("platform: woocommerce", "platform: shopify\(more)")
            .replacingOccurrences(of: account, with: "credentials: \(credentials)")
    }

    static let mistakes: [Mistake] = [
        // Shops
        .init(platform, "\(platform)\n    time_zone: Asia/Saigonn", "shops[0].time_zone", "no time zone"),
        .init(platform, "\(platform)\n    currencies: [VND, vnd]", "shops[0].currencies[1]", "no currency", "ISO 4217"),
        .init(platform, "\(platform)\n    currencies: Dong", "shops[0].currencies", "no currency"),
        .init(platform, "\(platform)\n    currencies: []", "shops[0].currencies", "at least one"),
        .init(platform, "\(platform)\n    currencies: [VND, VND]", "shops[0].currencies[1]", "twice"),
        .init(platform, "\(platform)\n    stale_reserve: -1", "shops[0].stale_reserve", "-1 is outside"),
        .init(platform, "\(platform)\n    orders: {every_seconds: 4}", "shops[0].orders.every_seconds", "5 to 86400"),
        .init(
            platform, "\(platform)\n    orders: {overlap_minutes: 0}", "shops[0].orders.overlap_minutes", "1 to 1440"),
        .init(platform, "\(platform)\n    orders: {lag_seconds: 601}", "shops[0].orders.lag_seconds", "0 to 600"),
        .init(
            platform, "\(platform)\n    orders: {rounding_tolerance: 0.0000001}", "shops[0].orders.rounding_tolerance",
            "six decimal places"),
        .init(
            platform, "\(platform)\n    orders: {webhook_secret: hunter2}", "shops[0].orders.webhook_secret",
            "reference to a secret"),
        .init(
            platform, "\(platform)\n    schedules: {report: {cron: noon}}", "shops[0].schedules.report.cron",
            "no schedule"),
        .init(
            platform, "\(platform)\n    schedules: {orders_repair: {}}", "shops[0].schedules.orders_repair",
            "did you mean \"order_repair\""),
        // Keys of the other platform
        .init(
            platform, "\(platform)\n    location: gid://shopify/Location/9", "shops[0].location",
            "only where platform is shopify"),
        .init(
            "{key: \"${env:KEY}\",", "{key: \"${env:KEY}\", client_id: abc,", "shops[0].credentials.client_id",
            "only where platform is shopify"),
        .init("{key: \"${env:KEY}\",", "{", "shops[0].credentials.key", "is missing"),
        .init(platform, "    platform: shopfy", "shops[0].platform", "did you mean \"shopify\""),
        // Webhooks
        .init(
            "alerts:", "webhooks: {public_url: \"http://hooks.example\"}\nalerts:", "webhooks.public_url", "https",
            "insecure: true"),
        .init("alerts:", "webhooks: {public_url: hooks}\nalerts:", "webhooks.public_url", "https://host/path"),
        .init("alerts:", "webhooks: {port: 70000}\nalerts:", "webhooks.port", "70000"),
        .init("alerts:", "webhooks: {maximum_body_bytes: 1}\nalerts:", "webhooks.maximum_body_bytes", "from 1024"),
        // The ERP and who hears what
        .init("orders@erp.example", "orders", "erp.mailbox[0]", "no mail address"),
        .init("[orders@erp.example]", "[a@b, a@b]", "erp.mailbox[1]", "twice"),
        .init("erp: {", "erp: {name: The ERP, ", "erp.name", "no name"),
        .init("erp: {", "erp: {name_limit: 0, ", "erp.name_limit", "from 1"),
        .init(
            "alerts:", "reconciliation: {to: operation}\nalerts:", "reconciliation.to", "did you mean \"operations\""),
        .init("alerts:", "reconciliation: {to: []}\nalerts:", "reconciliation.to", "at least one"),
        .init(
            "alerts:", "reconciliation: {mail_by: {cron: \"30 25 * * *\"}}\nalerts:", "reconciliation.mail_by.cron",
            "no schedule"),
        .init("alerts:", "reports: {notify: [operations, nobody]}\nalerts:", "reports.notify[1]", "no group"),
        // A default that follows from a mistaken setting is no mistake of its own.
        .init("alerts: {to: operations}", "alerts: {to: operation}", "alerts.to", "did you mean \"operations\""),
    ]

    @Test("each mistake is found, alone, at its line", arguments: mistakes)
    func mistake(_ mistake: Mistake) throws {
        let found = problems(minimal(mistake.part, mistake.replacement))
        #expect(found.count == 1, "\(found)")
        let problem = try #require(found.first)
        #expect(problem.path == mistake.path)
        for word in mistake.words { #expect(problem.description.contains(word), "\(problem)") }
        #expect(!problem.description.contains("hunter2"))
    }

    @Test(
        "a Shopify shop without a way to sign in, or with two, or with another platform's, is refused",
        arguments: [
            ("{}", "shops[0].credentials.access_token", "client_id"),
            (#"{client_secret: "${env:S}"}"#, "shops[0].credentials.access_token", "is missing"),
            ("{client_id: abc}", "shops[0].credentials.client_secret", "is missing"),
            (
                #"{access_token: "${env:T}", client_id: abc, client_secret: "${env:S}"}"#,
                "shops[0].credentials.client_id", "beside access_token"
            ),
            (#"{access_token: "${env:T}", key: "${env:K}"}"#, "shops[0].credentials.key", "woocommerce"),
            (#"{client_id: "${env:ID}", client_secret: "${env:S}"}"#, "shops[0].credentials.client_id", "clear"),
            ("{access_token: hunter2}", "shops[0].credentials.access_token", "reference to a secret"),
        ])
    func shopifyCredentials(_ credentials: String, _ path: String, _ word: String) throws {
        let found = problems(Self.shopify(credentials))
        #expect(found.map(\.path) == [path], "\(found)")
        #expect(found.first?.description.contains(word) == true, "\(found)")
        #expect(found.allSatisfy { !$0.description.contains("hunter2") })
    }

    @Test(
        "what only Shopify has is checked",
        arguments: [
            ("api_version: 2026", "api_version"), ("api_version: 2026-13", "api_version"),
            ("api_version: 2026-4", "api_version"), ("api_version: unstable", "api_version"),
            ("location: 9", "location"), ("location: gid://shopify/Location/", "location"),
            ("location: gid://shopify/Product/9", "location"),
            (#"orders: {webhook_secret: "${env:W}"}"#, "orders.webhook_secret"),
        ])
    func shopifyKeys(_ line: String, _ path: String) {
        let found = problems(Self.shopify(#"{access_token: "${env:T}"}"#, more: "\n    \(line)"))
        #expect(found.map(\.path) == ["shops[0].\(path)"], "\(found)")
    }

    @Test("a Shopify shop signs in with a token or as a client")
    func shopify() throws {
        let more = "\n    api_version: 2026-07\n    location: gid://shopify/Location/9"
        let token = try load(Self.shopify(#"{access_token: "${env:T}"}"#, more: more)).shops[0]
        #expect(token.platform == .shopify && token.apiVersion == "2026-07")
        #expect(token.location == "gid://shopify/Location/9")
        #expect(
            token.credentials
                == .shopify(accessToken: .environment(name: "T"), clientID: nil, clientSecret: nil))
        let client = try load(Self.shopify(#"{client_id: abc, client_secret: "${env:S}"}"#))
        #expect(
            client.shops[0].credentials
                == .shopify(accessToken: nil, clientID: "abc", clientSecret: .environment(name: "S")))
        #expect(client.shops[0].apiVersion == "2026-04" && client.shops[0].location == nil)
        #expect(try load(client.redactedDump()).redactedDump() == client.redactedDump())
    }

    @Test("the shortest file has the defaults, and no warning")
    func defaults() throws {
        let configuration = try load(minimalText)
        #expect(configuration.warnings.isEmpty)
        let services = ["stock-ingestor", "stock-publisher", "notifier", "order-collector", "erp-bridge", "reconciler"]
        #expect(services.map(configuration.http.port(for:)) == Array(8081...8086))
        let webhooks = configuration.webhooks
        #expect(webhooks.bind == "127.0.0.1" && webhooks.port == 8090 && webhooks.publicURL == nil)
        #expect(webhooks.maximumBodyBytes == 1_048_576 && !webhooks.insecure)
        #expect(
            configuration.erp
                == .init(
                    name: "erp", mailbox: ["orders@erp.example"], entryLagMinutes: 120, shipLagMinutes: 1440,
                    nameLimit: 20, reportWaitMinutes: 10))
        #expect(configuration.reconciliation.mailBy.cron.text == "30 6 * * *")
        #expect(configuration.reconciliation.to == ["operations"] && configuration.reports.notify == ["operations"])
        let shop = configuration.shops[0]
        #expect(
            shop.orders
                == .init(
                    collect: true, everySeconds: 60, overlapMinutes: 10, lagSeconds: 30, clockToleranceSeconds: 5,
                    webhookSecret: nil, unpaidReserveMinutes: 60, roundingTolerance: Amount(1), repairDays: 7))
        #expect(shop.currencies.map(\.rawValue) == ["VND"] && shop.staleReserve == .zero && !shop.reconcileRepairs)
        #expect(shop.schedules.report.cron.text == "0 12 * * *" && shop.schedules.orderRepair.cron.text == "0 3 * * *")
        #expect(shop.timeZone.identifier == "Asia/Ho_Chi_Minh")
    }

    @Test("the reconciliation goes to the general manager where there is one")
    func generalManager() throws {
        let text = minimal("people: {", "people: {general_manager: gm@hoasen.example, ")
        #expect(try load(text).reconciliation.to == ["general_manager"])
    }

    @Test("a shop's zone is the default of its schedules")
    func shopZone() throws {
        let schedules = "schedules: {report: {time_zone: Asia/Tokyo}}"
        let shop = try load(minimal(Self.platform, "\(Self.platform)\n    time_zone: Asia/Bangkok\n    \(schedules)"))
            .shops[0]
        #expect(shop.timeZone.identifier == "Asia/Bangkok")
        #expect(shop.schedules.catalogue.timeZone.identifier == "Asia/Bangkok")
        #expect(shop.schedules.orderRepair.timeZone.identifier == "Asia/Bangkok")
        #expect(shop.schedules.report.timeZone.identifier == "Asia/Tokyo")
    }

    @Test(
        "what weakens or does nothing is warned about",
        arguments: [
            ("\nerp: {mailbox: [orders@erp.example]}", "", "erp.mailbox"),
            (platform, "\(platform)\n    api_version: 2026-04", "shops[0].api_version"),
            (platform, "\(platform)\n    orders: {collect: false}", "shops[0].orders.collect"),
            ("alerts:", "webhooks: {public_url: \"http://h.example\", insecure: true}\nalerts:", "webhooks.public_url"),
        ])
    func warnings(_ part: String, _ replacement: String, _ path: String) throws {
        let configuration = try load(minimal(part, replacement))
        #expect(configuration.warnings.map(\.path) == [path])
    }

    @Test("shops may be told a loopback address in plain http")
    func loopback() throws {
        let text = minimal("alerts:", "webhooks: {public_url: \"http://127.0.0.1:8090/\"}\nalerts:")
        let configuration = try load(text)
        #expect(configuration.webhooks.publicURL == "http://127.0.0.1:8090" && configuration.warnings.isEmpty)
    }

    @Test("the services that talk to shops need their secrets, and erp-bridge needs the mail server's")
    func secrets() throws {
        let configuration = try load(exampleText())
        func paths(_ service: ServiceName) -> [String] {
            configuration.checkSecrets(for: .service(service), environment: [:]).map(\.path)
        }
        for service in [ServiceName.stockPublisher, .orderCollector, .reconciler] {
            let paths = paths(service)
            for path in [
                "shops[0].credentials.key", "shops[3].credentials.access_token", "shops[3].credentials.client_secret",
                "shops[0].ca_file",
            ] {
                #expect(paths.contains(path), "\(service): \(path)")
            }
            #expect(paths.contains("shops[0].orders.webhook_secret") == (service == .orderCollector))
            #expect(!paths.contains { $0.hasPrefix("mail") || $0.hasPrefix("sources") })
        }
        let bridge = paths(.erpBridge)
        #expect(bridge.contains("mail.password") && bridge.contains("mail.ca_file"))
        #expect(!bridge.contains { $0.hasPrefix("shops") })
    }
}
