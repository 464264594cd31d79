import Contracts
import Domain
import Foundation
import Messaging
import Notifier
import PostgreSQL
import RabbitMQ
import SampleConfigurations
import ServiceKit
import Settings
import TestStack
import Testing

@Suite("A mail server that is out fills no dead-letter queue", .timeLimit(.minutes(20)))
struct OutageTests {
    /// notifier with messages that are tried twice and a mail server that is not there yet.
    private func withNotifier(_ body: (ScratchSystem, SwitchedPort, Publisher) async throws -> Void) async throws {
        let catcher = try #require(
            ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_SMTP_PORT"], "start the test stack first")
        let relay = try SwitchedPort(to: catcher)
        defer { relay.close() }
        let services = ServiceCatalogue.services(shops: ["saigon"], tiers: ScratchSystem.shortTiers)
        try await ScratchSystem.with(services) { system in
            let configuration = try Self.configuration(system, smtpPort: relay.port)
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

    private static func configuration(_ system: ScratchSystem, smtpPort: Int) throws -> StockbridgeConfiguration {
        try system.writeSecrets(["key": "ck_simulator", "secret": "cs_simulator"], in: system.folder)
        let text = SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: system.folder))
            http: {bind: 127.0.0.1, ports: {notifier: 0}}
            mail: {host: 127.0.0.1, port: \(smtpPort), tls: off, from: stock@hoasen.example}
            \(SampleConfiguration.unreachableShop(secretsIn: system.folder))
            retry:
              tiers: [1s, 2s]
              services: {notifier: {max_attempts: 2, outage: {first_probe: 1s, longest_probe: 2s}}}
            """)
        return try ConfigurationLoader.load(text: text, file: system.folder.path + "/stockbridge.yaml")
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
