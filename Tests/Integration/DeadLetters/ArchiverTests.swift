import Contracts
import Foundation
import PostgreSQL
import RabbitMQ
import TestStack
import Testing

@testable import DeadLetters

@Suite("Dead letters go into the database and nothing is lost on the way", .timeLimit(.minutes(20)))
struct ArchiverTests {
    @Test("everything is archived while it comes, with its history, its kind and what it is about")
    func everything() async throws {
        try await Graveyard.with { yard in
            try await yard.publish((0..<1_200).map { Graveyard.message($0) })
            try await yard.archiving { () async throws in
                #expect(try await eventually { try await yard.letters() == 1_200 })
                try await yard.publish((1_200..<1_250).map { Graveyard.message($0, code: "shop.refused") })
                #expect(try await eventually { try await yard.letters() == 1_250 })
            }
            #expect(try await yard.isEmpty())
            #expect(try await yard.steps("died") == 1_250)
            #expect(try await yard.system.number("SELECT count(*) FROM dead_letters.fingerprints") == 2)
            #expect(
                try await yard.letters(
                    """
                    state = 'waiting' AND times = 1 AND service = 'stock-publisher' AND queue = 'stock-publisher'
                    AND failed_at = '2026-11-21T06:20:00Z' AND archived_at = '2026-11-21T06:30:00Z'
                    AND topic = 'stock-publisher.push' AND items[1] LIKE shop || '/%' AND error_class = 'permanent'
                    """) == 1_250)
            let groups = LetterQueries.groups(LetterFilter())
            let found = try await yard.pool.query(groups.sql, groups.parameters).map { try LetterGroup($0) }
            #expect(found.map(\.letters) == [1_200, 50] && found.map(\.shops) == [4, 4])
            #expect(found.first?.errorMessage == "The shop answered with something that is no JSON.")
        }
    }

    @Test("a process that dies between commit and acknowledgement leaves a second delivery, which changes nothing")
    func diesBeforeAcknowledgement() async throws {
        try await Graveyard.with { yard in
            try await yard.publish((0..<20).map { Graveyard.message($0) })
            let consumer = Consumer(yard.system.broker(.notifier), queue: Graveyard.deadQueue, prefetch: 100)
            var records: [LetterRecord] = []
            while records.count < 20 {
                records += try await consumer.next(atMost: 100, within: .seconds(5)).map {
                    LetterRecord($0, service: .stockPublisher, now: yard.now)
                }
            }
            let (taken, now) = (records, yard.now)
            let stored = try await yard.pool.transaction { try LetterStore.store(taken, at: now, in: $0) }
            #expect(stored.new == 20)
            await consumer.close()
            let count = try await yard.archiver().drainOnce()
            #expect(count.unchanged == 20 && count.new == 0 && count.again == 0)
            #expect(try await yard.letters("times = 1") == 20)
            #expect(try await yard.steps("died") == 20)
            #expect(try await yard.isEmpty())
        }
    }

    @Test("another death of a message is counted, whether it comes later or in the same batch; an old one never again")
    func anotherDeath() async throws {
        try await Graveyard.with { yard in
            try await yard.publish([Graveyard.message(1), Graveyard.message(1), Graveyard.message(1, failed: 5)])
            var count = try await yard.archiver().drainOnce()
            #expect(count == ArchiveCount(new: 1, again: 1, unchanged: 1))
            try await yard.system.administrate("UPDATE dead_letters.letters SET state = 'archived'")
            try await yard.publish([Graveyard.message(1, failed: 5), Graveyard.message(1)])
            count = try await yard.archiver().drainOnce()
            #expect(count == ArchiveCount(new: 0, again: 0, unchanged: 2))
            #expect(try await yard.letters("state = 'archived' AND times = 2") == 1)
            try await yard.publish([Graveyard.message(1, failed: 9, code: "shop.refused")])
            count = try await yard.archiver().drainOnce()
            #expect(count == ArchiveCount(new: 0, again: 1, unchanged: 0))
            #expect(
                try await yard.letters(
                    "state = 'waiting' AND times = 3 AND error_code = 'shop.refused' AND "
                        + "failed_at = '2026-11-21T06:20:09Z' AND cardinality(earlier_deaths) = 2") == 1)
            #expect(try await yard.steps("died_again") == 2)
        }
    }

    @Test("a replay that fails settles its item, and the letter waits again with what somebody had edited")
    func failedAgain() async throws {
        try await Graveyard.with { yard in
            try await yard.publish((0..<3).map { Graveyard.message($0) })
            _ = try await yard.archiver().drainOnce()
            let (job, other) = (UUID(), UUID())
            try await yard.system.administrate(
                """
                INSERT INTO dead_letters.jobs (id, requested_by, reason, filter, letters, rate_per_second, stop_share,
                    created_at)
                SELECT id, 'test', 'test', '{}', 3, 10, 1, clock_timestamp()
                FROM unnest(ARRAY['\(job)', '\(other)']::uuid[]) AS j (id);
                UPDATE dead_letters.letters SET state = 'replaying', job = '\(job)', edited_body = '\\x01';
                INSERT INTO dead_letters.job_items (job, letter, state)
                SELECT '\(job)', id, CASE identity WHEN '\(Graveyard.id(2))' THEN 'processed' ELSE 'published' END
                FROM dead_letters.letters;
                """)
            try await yard.publish([
                Graveyard.message(0, failed: 7, replay: job), Graveyard.message(1, failed: 7, replay: other),
                Graveyard.message(2, failed: 7, replay: job),
            ])
            let count = try await yard.archiver().drainOnce()
            #expect(count.again == 3)
            func items(_ state: String) async throws -> Int {
                try await yard.system.number(
                    """
                    SELECT count(*) FROM dead_letters.job_items i JOIN dead_letters.letters l ON l.id = i.letter
                    WHERE i.state || ' ' || l.state || ' ' || l.identity = $1 AND l.edited_body = '\\x01'
                    """, [.text(state)])
            }
            #expect(try await items("failed_again waiting \(Graveyard.id(0))") == 1)
            // Died again, but not by this job, which still has it.
            #expect(try await items("published replaying \(Graveyard.id(1))") == 1)
            // The first outcome stands; that it died again is true nevertheless.
            #expect(try await items("processed waiting \(Graveyard.id(2))") == 1)
            #expect(
                try await yard.system.number(
                    "SELECT count(*) FROM dead_letters.job_items WHERE settled_at = $1 AND detail LIKE 'The shop%'",
                    [.timestamp(yard.now)]) == 1)
            #expect(try await yard.steps("failed_again") == 1)
            #expect(try await yard.steps("died_again") == 2)
        }
    }

    @Test("a message without an id that was edited before its replay is still the same letter when it fails again")
    func editedWithoutID() async throws {
        try await Graveyard.with { yard in
            var message = Graveyard.message(0)
            message.properties.messageID = nil
            try await yard.publish([message])
            _ = try await yard.archiver().drainOnce()
            let job = UUID()
            try await yard.system.administrate(
                """
                INSERT INTO dead_letters.jobs (id, requested_by, reason, filter, letters, rate_per_second, stop_share,
                    created_at) VALUES ('\(job)', 'test', 'test', '{}', 1, 10, 1, clock_timestamp());
                UPDATE dead_letters.letters SET state = 'replaying', job = '\(job)', edited_body = '\\x0102';
                INSERT INTO dead_letters.job_items (job, letter, state)
                SELECT '\(job)', id, 'published' FROM dead_letters.letters;
                """)
            var again = Graveyard.message(0, failed: 3, replay: job, body: [1, 2])
            again.properties.messageID = nil
            try await yard.publish([again])
            let count = try await yard.archiver().drainOnce()
            #expect(count.again == 1)
            #expect(try await yard.letters("state = 'waiting' AND times = 2") == 1)
            #expect(try await yard.steps("failed_again") == 1)
        }
    }
}
