import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import SampleConfigurations
import ServiceKit
import Settings
import TestStack
import Testing

@testable import Stockbridge

@Suite("Steps of after-restore, on the real tables", .timeLimit(.minutes(20)))
struct AfterRestoreTests {
    private static let now = Date(timeIntervalSince1970: 1_795_323_600)
    private static let hour = 3_600.0

    /// A database of two shops that was restored now.
    private func with(
        _ body: (ScratchSystem, _ run: () async throws -> RestoreReport) async throws -> Void
    ) async throws {
        let services = ServiceCatalogue.services(shops: ["hanoi", "hue"], tiers: [])
        try await ScratchSystem.with(services) { system in
            let configuration = try ConfigurationLoader.load(
                text: configurationText(system), file: "/etc/stockbridge/stockbridge.yaml")
            let steps = RestoreSteps(
                files: [], configuration: configuration, acceptsGaps: false, operatorName: "lan", reason: "a test")
            var server = system.databaseAdministrator
            server.searchPath = ["erp"]
            try await withPool(to: server, connections: 1) { pool in
                let database = ServiceDatabase(pool: pool, service: .erpBridge, now: { Self.now })
                try await body(system) { try await database.unitOfWork { work in try steps.run(in: work) } }
            }
        }
    }

    private func configurationText(_ system: ScratchSystem) -> String {
        func shop(_ name: String) -> String {
            """
            {name: \(name), platform: woocommerce, url: "https://\(name).example", \
            credentials: {key: "${env:KEY}", secret: "${env:SECRET}"}, warehouses: [HN]}
            """
        }
        return SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: system.folder))
            mail: {host: 127.0.0.1, from: stock@hoasen.example}
            warehouses: [{name: HN}]
            shops: [\(shop("hanoi")), \(shop("hue"))]
            erp: {mailbox: [orders@erp.example]}
            """)
    }

    /// A report that was due, and sent if that was so, so many hours before the restore.
    private func report(
        _ system: ScratchSystem, _ id: String, hours: Double, state: String = "sent", answer: String = "250 ok"
    ) async throws {
        let due = PostgresValue.timestamp(Self.now - hours * Self.hour)
        _ = try await system.number(
            """
            INSERT INTO erp.reports (id, shop, due, state, requested_by, requested_at, sent_at, answer)
            VALUES ($1::text, split_part($1::text, '-', 1), $2::timestamptz, $3::text, 'schedule', $2::timestamptz,
                CASE WHEN $3::text = 'sent' THEN $2::timestamptz END, $4)
            RETURNING 1
            """, [.text(id), due, .text(state), .text(answer)])
    }

    @Test("Of every shop it names the newest report that counts as sent")
    func newest() async throws {
        try await with { system, run in
            try await report(system, "hanoi-1", hours: 30)
            try await report(system, "hanoi-2", hours: 20)
            try await report(system, "hanoi-3", hours: 10, state: "ready")
            let done = try await run()
            #expect(
                done.newestReports == [.init(shop: "hanoi", batch: "hanoi-2"), .init(shop: "hue", batch: nil)])
        }
    }

    @Test("After a clean stop the moment is that of the newest report, and the day before it is said again")
    func cleanStop() async throws {
        try await with { system, run in
            // Backed up two days ago; all services had signed off.
            try await report(system, "hanoi-1", hours: 80)
            try await report(system, "hanoi-2", hours: 60)
            try await report(system, "hue-1", hours: 50)
            let done = try await run()
            #expect(done.restoredTo == Self.now - 50 * Self.hour)
            #expect(done.reportsSaidAgain == 2)
            #expect(try await system.number("SELECT count(*) FROM erp.outbox") == 2)
        }
    }

    @Test("A report that an earlier run read back from its file is of after the backup, and nothing is said of it")
    func repeated() async throws {
        try await with { system, run in
            try await report(system, "hanoi-1", hours: 60)
            try await report(system, "hanoi-2", hours: 1, answer: RestoredReports.answer)
            let done = try await run()
            #expect(done.restoredTo == Self.now - 60 * Self.hour)
            #expect(done.reportsSaidAgain == 1)
            #expect(done.newestReports.first?.batch == "hanoi-2")
        }
    }

    @Test("A heartbeat that is newer than every report is the moment")
    func heartbeat() async throws {
        try await with { system, run in
            try await report(system, "hanoi-1", hours: 60)
            let alive = Self.now - 55 * Self.hour
            _ = try await system.number(
                """
                INSERT INTO shared.replicas (id, service, host, process, heartbeat_at, state)
                VALUES (gen_random_uuid(), 'notifier', 'a', 1, $1, 'running') RETURNING 1
                """, [.timestamp(alive)])
            #expect(try await run().restoredTo == alive)
        }
    }

    @Test("Somebody else's lock is waited for some seconds, not for ever", .timeLimit(.minutes(20)))
    func locked() async throws {
        try await with { system, run in
            let holder = PostgresConnection(system.databaseAdministrator)
            try await holder.script("BEGIN; LOCK TABLE publishing.shelves IN ACCESS EXCLUSIVE MODE")
            do {
                _ = try await run()
                Issue.record("nobody was in the way")
            } catch let error as PostgresError {
                #expect(error.sqlState == "55P03")
            }
            await holder.close()
        }
    }
}
