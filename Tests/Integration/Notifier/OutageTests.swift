import Contracts
import Domain
import Foundation
import Messaging
import Notifier
import PostgreSQL
import RabbitMQ
import ServiceKit
import Settings
import TestStack
import Testing

@Suite("A mail server that is out fills no dead-letter queue", .timeLimit(.minutes(20)))
struct OutageTests {
    /// notifier with messages that are tried twice and a mail server that is not there yet.
    private func withNotifier(_ body: (ScratchSystem, SwitchedPort, Publisher) async throws -> Void) async throws {
        let tiers = [
            RetryTier(name: "1s", delayMilliseconds: 1_000), RetryTier(name: "2s", delayMilliseconds: 2_000),
        ]
        let catcher = try #require(
            ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_SMTP_PORT"], "start the test stack first")
        let relay = try SwitchedPort(to: catcher)
        defer { relay.close() }
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["saigon"], tiers: tiers)) { system in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(system.name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }  // scratch files only
            let configuration = try Self.configuration(system, folder, smtpPort: relay.port)
            let publisher = Publisher(system.broker(.stockPublisher))
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(
                    try await running([{ try await NotifierService(configuration: configuration).run() }]) {
                        try await body(system, relay, publisher)
                    })
            } catch { outcome = .failure(error) }
            await publisher.close()
            try outcome.get()
        }
    }

    private static func configuration(
        _ system: ScratchSystem, _ folder: URL, smtpPort: Int
    ) throws -> StockbridgeConfiguration {
        try system.writeSecrets(["key": "ck_simulator", "secret": "cs_simulator"], in: folder)
        let text = """
            company: Hoa Sen Care
            time_zone: Asia/Ho_Chi_Minh
            \(system.serverSections(secretsIn: folder))
            http: {bind: 127.0.0.1, ports: {notifier: 0}}
            mail: {host: 127.0.0.1, port: \(smtpPort), tls: off, from: stock@hoasen.example}
            people: {operations: [ops@hoasen.example]}
            sources:
              - name: erp
                location: {type: folder, directory: \(folder.path), pattern: "*.csv"}
                schedule: {cron: "0 6 * * *"}
                format: {columns: {sku: SKU, warehouse: Kho, on_hand: Quantity}}
                quantities: gross
            warehouses: [{name: HN}]
            shops:
              - name: saigon
                platform: woocommerce
                url: https://saigon.hoasen.example
                credentials: {key: "${file:\(folder.path)/key}", secret: "${file:\(folder.path)/secret}"}
                warehouses: [HN]
            retry:
              tiers: [1s, 2s]
              services: {notifier: {max_attempts: 2, outage: {first_probe: 1s, longest_probe: 2s}}}
            alerts: {to: operations}
            """
        return try ConfigurationLoader.load(text: text, file: folder.path + "/stockbridge.yaml")
    }

    @Test("ten mails wait for as long as it takes, and each goes out once")
    func waiting() async throws {
        try await withNotifier { system, relay, publisher in
            let alerts = try (0..<10).map { number in
                let alert = AlertRaised(
                    condition: "outage-test:\(number)", service: .stockPublisher, severity: .critical,
                    title: "Number \(number)", text: "Something is so.", whatToDo: "Do something.", raisedAt: Date())
                let event = Event(alert, subject: "test", correlation: "test", occurredAt: Date())
                return try OutboxMessage(event, from: .stockPublisher).outgoing
            }
            let outcomes = try await publisher.publish(alerts)
            try #require(outcomes.allSatisfy { $0 == .confirmed })
            let mails = "SELECT count(*) FROM notifications.mails WHERE subject LIKE '%Number %'"
            #expect(try await eventually { try await system.number(mails) == 10 })
            #expect(
                try await eventually {
                    try await system.number("SELECT coalesce(sum(failures), 0)::int FROM notifications.mails") >= 5
                })
            // Long enough for all attempts of all mails, were they used up.
            try await Task.sleep(for: .seconds(6))
            #expect(try await system.ready("notifier.dead") == 0)
            #expect(try await system.number(mails + " AND sent_at IS NOT NULL") == 0)
            try relay.open()
            #expect(try await eventually { try await system.number(mails + " AND sent_at IS NOT NULL") == 10 })
            #expect(try await system.ready("notifier.dead") == 0)
        }
    }
}
