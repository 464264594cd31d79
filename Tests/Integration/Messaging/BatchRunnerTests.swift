import Contracts
import Foundation
import PostgreSQL
import RabbitMQ
import TestStack
import Testing

@testable import Messaging

@Suite("Batches of messages, on the real broker and database", .timeLimit(.minutes(20)))
struct BatchRunnerTests {
    @Test("a thousand messages, some of them twice, are applied once, together with what they say")
    func appliedOnce() async throws {
        try await Bench.with { bench in
            let messages = try (0..<1_000).map { try bench.message(bench.event($0), to: Bench.batchQueue) }
            let repeated = stride(from: 0, to: 1_000, by: 10).map { messages[$0] }
            try await bench.publish(messages + repeated)
            // The first ten come twice in one batch, too.
            try await bench.publish(Array(messages[0..<10]) + Array(messages[0..<10]))
            try await bench.running([bench.batchRunner()]) { () async throws in
                #expect(try await eventually { try await bench.effects() >= 1_000 })
                #expect(try await bench.drained(Bench.batchQueue))
            }
            #expect(try await bench.effects() == 1_000)
            #expect(try await bench.system.number("SELECT count(DISTINCT id) FROM stock.effects") == 1_000)
            let together = try await bench.system.number(
                """
                SELECT count(*) FROM stock.effects e JOIN stock.outbox o ON o.id = e.event
                JOIN stock.inbox i ON i.message_id = e.id WHERE e.xmin = o.xmin AND e.xmin = i.xmin
                """)
            #expect(together == 1_000, "effect, inbox and outbox rows are of the same transaction")
            #expect(try await bench.system.number("SELECT count(DISTINCT xmin::text) FROM stock.effects") <= 250)
            #expect(try await bench.system.ready(Bench.deadQueue) == 0)
        }
    }

    @Test("one bad message in a batch goes to the dead letters and costs the others no attempt")
    func badMessage() async throws {
        try await Bench.with { bench in
            let bad = bench.event(25, .bad)
            let messages = try (0..<50).map { number in
                try bench.message(number == 25 ? bad : bench.event(number), to: Bench.batchQueue)
            }
            try await bench.publish(messages)
            try await bench.running([bench.batchRunner()]) { () async throws in
                #expect(try await eventually { try await bench.effects() == 49 })
                let dead = try await bench.system.take(1, from: Bench.deadQueue)
                let letter = try #require(dead.first)
                #expect(letter.properties.messageID == bad.id.uuidString.lowercased())
                #expect(letter.header(HeaderName.errorCode) == "note.bad")
                #expect(letter.header(HeaderName.errorClass) == "permanent")
                #expect(letter.header(HeaderName.errorMessage) == "Note 25 is bad.")
                #expect(letter.header(HeaderName.fingerprint) == "stock-ingestor|test.note|note.bad")
                #expect(letter.header(HeaderName.originExchange) == "stock-ingestor.work")
                #expect(letter.header(HeaderName.originKey) == Bench.batchQueue)
                #expect(letter.header(HeaderName.service) == "stock-ingestor")
                #expect(letter.header(HeaderName.firstFailedAt) != nil && letter.header(HeaderName.host) != nil)
                #expect(letter.properties.headers[HeaderName.attempt] == nil)
            }
            #expect(try await bench.system.number("SELECT max(attempt) FROM stock.effects") == 1)
            #expect(try await bench.system.ready("stock-ingestor.retry.300ms") == 0)
        }
    }

    @Test("a message that fails for now goes through the tier and comes back to the same queue as attempt 2")
    func transientFailure() async throws {
        try await Bench.with { bench in
            try await bench.publish(
                try (0..<10).map { number in
                    try bench.message(bench.event(number, number < 3 ? .patient : .plain), to: Bench.batchQueue)
                })
            try await bench.running([bench.batchRunner()]) { () async throws in
                #expect(try await eventually { try await bench.effects() == 10 })
            }
            #expect(try await bench.system.number("SELECT count(*) FROM stock.effects WHERE attempt = 2") == 3)
            #expect(try await bench.system.number("SELECT count(*) FROM stock.effects WHERE attempt = 1") == 7)
            #expect(try await bench.system.ready(Bench.deadQueue) == 0)
        }
    }

    @Test("a message that cannot be read goes to the dead letters with the reason")
    func unreadable() async throws {
        try await Bench.with { bench in
            let good = try bench.message(bench.event(1), to: Bench.batchQueue)
            var withoutID = good
            withoutID.properties.messageID = "seven"
            var withoutType = good
            withoutType.properties.messageID = UUID().uuidString
            withoutType.properties.headers[HeaderName.type] = nil
            var newer = good
            newer.properties.messageID = UUID().uuidString
            newer.properties.headers[HeaderName.dataSchema] = "urn:stockbridge:test.note:2"
            var garbled = good
            garbled.properties.messageID = UUID().uuidString
            garbled.body = Array("{\"number\":".utf8)
            var unknown = good
            unknown.properties.messageID = UUID().uuidString
            unknown.properties.headers[HeaderName.type] = "test.other"
            try await bench.publish([withoutID, withoutType, newer, garbled, unknown, good])
            try await bench.running([bench.batchRunner()]) { () async throws in
                let dead = try await bench.system.take(5, from: Bench.deadQueue)
                #expect(
                    Set(dead.compactMap { $0.header(HeaderName.errorCode) }) == [
                        "envelope.id", "envelope.type", "envelope.major_version", "payload.invalid", "route.unknown",
                    ])
                #expect(try await eventually { try await bench.effects() == 1 })
            }
        }
    }

    @Test("connections that end and a database that lets nobody in lose nothing and count no attempt")
    func databaseAway() async throws {
        try await Bench.with { bench in
            let messages = try (0..<600).map { try bench.message(bench.event($0), to: Bench.batchQueue) }
            let name = bench.system.name
            try await bench.running([bench.batchRunner()]) { () async throws in
                for part in 0..<6 {
                    try await bench.publish(Array(messages[(part * 100)..<(part * 100 + 100)]))
                    try await endConnections(bench)
                }
                try await bench.system.administrate("REVOKE CONNECT ON DATABASE \(name) FROM stock_ingestor")
                try await endConnections(bench)
                try await bench.publish([try bench.message(bench.event(600), to: Bench.batchQueue)])
                try await Task.sleep(for: .milliseconds(400))
                try await bench.system.administrate("GRANT CONNECT ON DATABASE \(name) TO stock_ingestor")
                #expect(try await eventually { try await bench.effects() >= 601 })
                #expect(try await bench.drained(Bench.batchQueue))
            }
            #expect(try await bench.effects() == 601)
            #expect(try await bench.system.number("SELECT count(DISTINCT number) FROM stock.effects") == 601)
            #expect(try await bench.system.number("SELECT max(attempt) FROM stock.effects") == 1)
            #expect(try await bench.system.ready(Bench.deadQueue) == 0)
        }
    }

    private func endConnections(_ bench: Bench) async throws {
        _ = try await bench.system.number(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'stock_ingestor'
            """)
    }
}
