import Contracts
import DeadLetters
import Foundation
import PostgreSQL
import TestStack
import Testing

@testable import Stockbridge

@Suite("Replay jobs under the operator's role, on the real database", .timeLimit(.minutes(20)))
struct JobReadingTests {
    private static let job = "4f1c2a3b-0000-4000-8000-000000000001"

    @Test("a job is counted by outcomes; what failed again is grouped whatever ids its sentences name")
    func jobs() async throws {
        try await LetterSystem.with { system in
            let ids = try await system.store((1...5).map { _ in .init() })
            try await system.system.administrate(
                """
                INSERT INTO dead_letters.jobs (id, requested_by, reason, filter, letters, rate_per_second, stop_share,
                    created_at) VALUES ('\(Self.job)', 'lan', 'mended', '{"shop":"hanoi"}', 5, 50, 0.1, now()),
                    ('4f1c0000-0000-4000-8000-000000000002', 'lan', 'x', '{}', 0, 1, 1, now() - interval '1 day');
                INSERT INTO dead_letters.job_items (job, letter, state, detail) VALUES
                    ('\(Self.job)', \(ids[0]), 'processed', NULL), ('\(Self.job)', \(ids[1]), 'published', NULL),
                    ('\(Self.job)', \(ids[2]), 'failed_again', 'Message 8ECE8C85-14D2-49FC-844A-B570457899B5: No.'),
                    ('\(Self.job)', \(ids[3]), 'failed_again', 'Message 8ece8c85-14d2-49fc-844a-b570457899b6: No.'),
                    ('\(Self.job)', \(ids[4]), 'undeliverable', NULL)
                """)
            let store = JobStore(database: system.database)
            let list = try await store.list(limit: 10)
            #expect(list.map(\.letters) == [5, 0])
            let job = try #require(list.first)
            #expect(job.settled == 4 && job.failures == 3 && job.count("processed") == 1)
            #expect(job.filter == .object(["shop": .string("hanoi")]) && job.isOpen && list[1].counts.isEmpty)
            #expect(try await store.find(IDPrefix("4f1c2", of: "replay job")) == job.id)
            await #expect(throws: ToolError.self) { try await store.find(IDPrefix("4f1c", of: "replay job")) }
            await #expect(throws: ToolError.self) { try await store.find(IDPrefix("ffff", of: "replay job")) }
            let failures = try await store.failures(of: job.id)
            #expect(failures.map(\.sentence) == ["No.", "Shop hanoi answered something that is not JSON."])
            #expect(failures.first?.examples == [ids[2], ids[3]])
            // The time is up at once, or it would be followed until it is done.
            #expect(try await JobWatch(store: store).follow(job.id, seconds: 0).state == "running")
        }
    }
}
