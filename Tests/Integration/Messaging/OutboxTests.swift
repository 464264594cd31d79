import Contracts
import Foundation
import PostgreSQL
import RabbitMQ
import TestStack
import Testing

@testable import Messaging

@Suite("The outbox, on the real broker and database", .timeLimit(.minutes(20)))
struct OutboxTests {
    private static let insert = """
        INSERT INTO outbox (id, exchange, routing_key, headers, body)
        VALUES ($1, 'stock-ingestor.work', 'stock-ingestor.outside', $2, $3) RETURNING position
        """

    private func write(_ event: Event<Note>, over connection: PostgresConnection) async throws -> Int64 {
        let message = try OutboxMessage(work: event, for: .stockIngestor, queue: Bench.workQueue)
        let rows = try await connection.query(
            Self.insert, [.uuid(message.id), .text(message.headers), .text(message.body)])
        return try #require(rows.first).decode("position", as: Int64.self)
    }

    @Test("fault 15: a row that commits late is relayed although later rows went out before")
    func lateCommit() async throws {
        try await Bench.with { bench in
            let (slow, fast) = (
                PostgresConnection(bench.system.database(.stockIngestor)),
                PostgresConnection(bench.system.database(.stockIngestor))
            )
            let relay = bench.relay()
            let (late, early) = (bench.event(1), bench.event(2))
            try await slow.begin()
            let latePosition = try await write(late, over: slow)
            let earlyPosition = try await write(early, over: fast)
            try #require(latePosition < earlyPosition)
            #expect(try await relay.relayOnce() == 1)
            try await slow.commit()
            let beyond = try await bench.system.number(
                "SELECT count(*) FROM stock.outbox WHERE position > $1", [.integer(earlyPosition)])
            #expect(beyond == 0, "a cursor on the position would see nothing more")
            #expect(try await relay.relayOnce() == 1)
            let taken = try await bench.system.take(2, from: Bench.workQueue)
            #expect(
                taken.compactMap(\.properties.messageID) == [early, late].map { $0.id.uuidString.lowercased() })
            #expect(try await bench.outbox() == 0)
            await slow.close()
            await fast.close()
        }
    }

    @Test("two relays at once lose no row, and the inbox applies each once")
    func twoRelays() async throws {
        try await Bench.with { bench in
            let events = (0..<2_000).map { bench.event($0) }
            for part in stride(from: 0, to: events.count, by: 500) {
                let some = Array(events[part..<(part + 500)])
                try await bench.database.unitOfWork { work in
                    for event in some { try work.enqueue(event, queue: Bench.batchQueue) }
                }
            }
            let other = Publisher(bench.system.broker(.stockIngestor))
            let (first, second) = (bench.relay(), bench.relay(other))
            async let left = first.relayUntilEmpty()
            async let right = second.relayUntilEmpty()
            #expect(try await left + right == 2_000)
            // The recorder says something about each, so the outbox fills again, under other ids.
            #expect(try await bench.outbox() == 0)
            try await bench.running([bench.batchRunner()]) { () async throws in
                #expect(try await eventually { try await bench.effects() >= 2_000 })
                #expect(try await bench.drained(Bench.batchQueue))
            }
            await other.close()
            #expect(try await bench.effects() == 2_000)
            #expect(try await bench.system.number("SELECT count(DISTINCT id) FROM stock.effects") == 2_000)
        }
    }

    @Test("a relay that dies after publishing and before marking repeats, and the repetition is recognised")
    func relayDies() async throws {
        try await Bench.with { bench in
            // The first deletion ends its own connection: the broker has the messages, the rows are still there.
            try await bench.system.administrate(
                """
                CREATE SEQUENCE stock.deaths;
                GRANT ALL ON SEQUENCE stock.deaths TO stock_ingestor;
                CREATE FUNCTION stock.die_once() RETURNS trigger LANGUAGE plpgsql AS $body$
                BEGIN
                    IF nextval('stock.deaths') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                    RETURN NULL;
                END $body$;
                CREATE TRIGGER die BEFORE DELETE ON stock.outbox FOR EACH STATEMENT EXECUTE FUNCTION stock.die_once();
                """)
            let events = (0..<20).map { bench.event($0) }
            try await bench.database.unitOfWork { work in
                for event in events { try work.enqueue(event, queue: Bench.batchQueue) }
            }
            let relay = bench.relay()
            await #expect(throws: PostgresError.self) { try await relay.relayOnce() }
            #expect(try await bench.outbox() == 20)
            #expect(try await eventually { try await bench.system.ready(Bench.batchQueue) == 20 })
            let successor = bench.relay()
            #expect(try await successor.relayOnce() == 20)
            #expect(try await eventually { try await bench.system.ready(Bench.batchQueue) == 40 })
            try await bench.running([bench.batchRunner()]) { () async throws in
                #expect(try await eventually { try await bench.effects() >= 20 })
                #expect(try await bench.drained(Bench.batchQueue))
            }
            #expect(try await bench.effects() == 20)
        }
    }

    @Test("a message that no queue takes stays in the outbox with the reason, and the others go out")
    func unroutable() async throws {
        try await Bench.with { bench in
            let (lost, good) = (bench.event(1), bench.event(2))
            try await bench.database.unitOfWork { work in
                try work.enqueue(lost, queue: "stock-ingestor.nobody")
                try work.enqueue(good, queue: Bench.workQueue)
            }
            #expect(try await bench.relay().relayUntilEmpty() == 1)
            let left = try await bench.system.number(
                """
                SELECT count(*) FROM stock.outbox
                WHERE id = $1 AND failures = 1 AND last_error LIKE '%312%' AND not_before > clock_timestamp()
                """, [.uuid(lost.id)])
            #expect(left == 1)
            #expect(try await bench.outbox() == 1)
        }
    }

    @Test("a message that cannot be sent at all holds up no other")
    func unsendable() async throws {
        try await Bench.with { bench in
            let events = (0..<40).map { bench.event($0) }
            let bad = bench.event(100)
            let long = Event(
                Note(number: 101), subject: "note", correlation: String(repeating: "x", count: 300), occurredAt: Date())
            try await bench.database.unitOfWork { work in
                for event in events[..<20] { try work.enqueue(event, queue: Bench.workQueue) }
                try work.enqueue(long, queue: Bench.workQueue)
                work.send(
                    OutboxMessage(
                        id: bad.id, exchange: "stock-ingestor.unknown", routingKey: "x", headers: "", body: "{}"))
                for event in events[20...] { try work.enqueue(event, queue: Bench.workQueue) }
            }
            #expect(try await bench.relay().relayOnce() == 40)
            let left = try await bench.system.number(
                "SELECT count(*) FROM stock.outbox WHERE failures = 1 AND last_error <> ''")
            #expect(left == 2)
            // A message on the same channel as the one that the broker refused may go out twice, never not at all.
            let taken = try await bench.system.take(80, from: Bench.workQueue, within: .seconds(3))
            #expect(Set(taken.compactMap(\.properties.messageID)).count == 40)
        }
    }

    @Test("an event that nobody is bound to lies in stockbridge.unrouted")
    func unrouted() async throws {
        try await Bench.with { bench in
            let event = bench.event(1)
            try await bench.database.unitOfWork { work in try work.emit(event) }
            #expect(try await bench.relay().relayUntilEmpty() == 1)
            let kept = try await bench.system.take(1, from: Topology.unrouted)
            #expect(kept.first?.properties.messageID == event.id.uuidString.lowercased())
        }
    }

    @Test("a running relay is woken by a commit")
    func woken() async throws {
        try await Bench.with { bench in
            let relay = bench.relay()
            try await bench.running([{ await relay.run() }]) { () async throws in
                for number in 0..<5 {
                    let event = bench.event(number)
                    try await bench.database.unitOfWork { work in try work.enqueue(event, queue: Bench.workQueue) }
                    #expect(try await bench.system.take(1, from: Bench.workQueue).count == 1)
                }
            }
            #expect(try await bench.outbox() == 0)
        }
    }
}
