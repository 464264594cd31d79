import Contracts
import DeadLetters
import Foundation
import PostgreSQL
import RabbitMQ
import TestStack
import Testing

@Suite("Archiving when something is wrong", .timeLimit(.minutes(20)))
struct ArchiverTroubleTests {
    @Test("bodies are kept byte for byte, zero bytes and 16 MB of them too")
    func bodies() async throws {
        try await Graveyard.with { yard in
            // RabbitMQ 4 takes no larger ones, unless it is told to.
            var large = [UInt8](repeating: 0, count: 16 << 20)
            for index in large.indices { large[index] = UInt8(truncatingIfNeeded: index &* 31 ^ index >> 11) }
            let bodies: [[UInt8]] = [[], [0], Array(0...255), large, Array("{\"shop\":\"\u{0}\"".utf8)]
            try await yard.publish(bodies.enumerated().map { Graveyard.message($0, body: $1) })
            let count = try await yard.archiver().drainOnce()
            #expect(count.new == bodies.count)
            for (number, body) in bodies.enumerated() {
                let same = try await yard.system.number(
                    "SELECT count(*) FROM dead_letters.letters WHERE identity = $1 AND body = $2",
                    [.text(Graveyard.id(number)), .bytes(body)])
                #expect(same == 1, "body \(number)")
            }
        }
    }

    @Test("headers that no database takes, and messages that were never ours, are archived all the same")
    func poison() async throws {
        try await Graveyard.with { yard in
            var zeros = Graveyard.message(1)
            for name in ["error-code", "error-message", "fingerprint", "failed-at", "replay-id", "error-class"] {
                zeros.properties.headers["stockbridge-\(name)"] = .string("a\0b")
            }
            zeros.properties.headers["cloudEvents_subject"] = .string(String(repeating: "\0", count: 3_000))
            zeros.properties.correlationID = "\0"
            var long = Graveyard.message(2)
            // Digits that do not compress: an index takes 2,700 bytes.
            let noise = (0..<15_000).map { _ in String(UInt8.random(in: 0..<16), radix: 16) }.joined()
            long.properties.headers["stockbridge-fingerprint"] = .string(noise)
            long.properties.headers["stockbridge-attempt"] = .integer(.max)
            var foreign = OutgoingMessage(exchange: Graveyard.deadQueue, routingKey: "", body: Array("?".utf8))
            foreign.properties.headers = ["deep": .table(["a": .array([.void, .bytes([0, 255])])])]
            foreign.properties.timestamp = Date(timeIntervalSince1970: 1e17)
            try await yard.publish([zeros, long, foreign, Graveyard.message(3)])
            let count = try await yard.archiver().drainOnce()
            #expect(count.new == 4 && count.refused == 0)
        }
    }

    @Test("a message that died by the broker's delivery limit is archived as that, and its second death is another one")
    func deliveryLimit() async throws {
        try await Graveyard.with { yard in
            for death in 1...2 {
                var message = Graveyard.message(1)
                message.exchange = "stock-publisher.work"
                message.properties.headers = [:]
                try await yard.publish([message])
                let crashing = Consumer(yard.system.broker(.stockPublisher), queue: Graveyard.queue, prefetch: 1)
                var deliveries = 0
                while try await yard.isEmpty(), deliveries < 100 {
                    let taken = try await crashing.next(atMost: 1, within: .milliseconds(300))
                    try await crashing.giveBack(taken.map(\.tag))
                    deliveries += 1
                }
                await crashing.close()
                let count = try await yard.archiver().drainOnce()
                #expect(death == 1 ? count.new == 1 : count.again == 1)
                // The broker's own time of death is in whole seconds.
                if death == 1 { try await Task.sleep(for: .milliseconds(1_100)) }
            }
            #expect(
                try await yard.letters(
                    """
                    error_code = 'broker.delivery_limit' AND error_class = 'defect' AND queue = 'stock-publisher'
                    AND times = 2 AND attempts >= 1 AND properties NOT LIKE '%x-death%'
                    """) == 1)
        }
    }

    @Test("while the table is away nothing is acknowledged, and the archiver goes on when it is back")
    func tableAway() async throws {
        try await Graveyard.with { yard in
            try await yard.system.administrate("ALTER TABLE dead_letters.letters RENAME TO gone")
            try await yard.publish((0..<700).map { Graveyard.message($0) })
            await #expect(throws: PostgresError.self) { try await yard.archiver().drainOnce() }
            #expect(try await eventually { try await yard.system.ready(Graveyard.deadQueue) == 700 })
            try await yard.archiving { () async throws in
                #expect(try await eventually { try await yard.isEmpty() }, "all of them are in hand")
                try await Task.sleep(for: .milliseconds(500))
                try await yard.system.administrate("ALTER TABLE dead_letters.gone RENAME TO letters")
                #expect(try await eventually { try await yard.letters() == 700 })
            }
            #expect(try await yard.isEmpty())
            #expect(try await yard.steps("died") == 700)
        }
    }

    @Test("connections that end lose nothing and count nothing twice")
    func connectionsEnd() async throws {
        try await Graveyard.with { yard in
            try await yard.archiving { () async throws in
                for part in 0..<5 {
                    try await yard.publish((part * 200..<part * 200 + 200).map { Graveyard.message($0) })
                    _ = try await yard.system.number(
                        """
                        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE datname = current_database() AND usename = 'notifier'
                        """)
                }
                #expect(try await eventually { try await yard.letters() == 1_000 })
                #expect(try await eventually { try await yard.isEmpty() })
            }
            #expect(try await yard.isEmpty())
            #expect(try await yard.letters("times = 1") == 1_000)
            #expect(try await yard.steps("died") == 1_000)
        }
    }

    @Test("a letter that the database does not take stays in its queue and keeps no other from being stored")
    func refused() async throws {
        try await Graveyard.with { yard in
            try await yard.system.administrate(
                "ALTER TABLE dead_letters.letters ADD CONSTRAINT odd CHECK (error_code <> 'odd')")
            try await yard.publish((0..<50).map { Graveyard.message($0, code: $0 == 20 ? "odd" : "plain") })
            try await yard.archiving { () async throws in
                #expect(try await eventually { try await yard.letters() == 49 })
            }
            #expect(try await eventually { try await yard.system.ready(Graveyard.deadQueue) == 1 })
            try await yard.system.administrate("ALTER TABLE dead_letters.letters DROP CONSTRAINT odd")
        }
    }

    @Test("a person's drain says what it could not store")
    func refusedByDrain() async throws {
        try await Graveyard.with { yard in
            try await yard.system.administrate(
                "ALTER TABLE dead_letters.letters ADD CONSTRAINT odd CHECK (error_code <> 'odd')")
            try await yard.publish((0..<50).map { Graveyard.message($0, code: $0 == 20 ? "odd" : "plain") })
            var count = try await yard.archiver().drainOnce()
            #expect(count.new == 49 && count.refused == 1)
            try await yard.system.administrate("ALTER TABLE dead_letters.letters DROP CONSTRAINT odd")
            #expect(try await eventually { try await yard.system.ready(Graveyard.deadQueue) == 1 })
            count = try await yard.archiver().drainOnce()
            #expect(count.new == 1 && count.refused == 0)
            #expect(try await yard.isEmpty())
        }
    }
}
