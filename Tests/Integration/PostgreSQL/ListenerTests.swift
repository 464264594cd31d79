import Foundation
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    struct Listener {
        @Test func aNotificationEndsTheWait() async throws {
            try await withScratch { scratch async throws in
                let channel = "Outbox " + scratch.schema
                let listener = PostgresListener(scratch.configuration, channels: [channel])
                #expect(try await listener.next(within: .seconds(10)) == [.mayHaveMissed])
                let start = ContinuousClock.now
                async let heard = listener.next(within: .seconds(30))
                let pool = scratch.pool(1)
                try await pool.transaction { tx in
                    try tx.execute("SELECT pg_notify($1, $2)", [.text(channel), "first"])
                    try tx.execute("SELECT pg_notify($1, $2)", [.text(channel), "thứ hai"])
                }
                let first = PostgresNotification.received(channel: channel, payload: "first")
                let second = PostgresNotification.received(channel: channel, payload: "thứ hai")
                #expect(try await heard == [first, second])
                #expect(ContinuousClock.now - start < .seconds(10))
                #expect(try await listener.next(within: .milliseconds(20)).isEmpty)
                await pool.close()
                await listener.close()
                #expect(await postgresError { try await listener.next(within: .seconds(1)) } == .poolClosed)
            }
        }

        @Test func aLostConnectionIsOpenedAgainAndSaysThatSomethingMayBeMissing() async throws {
            try await withScratch { scratch async throws in
                var configuration = scratch.configuration
                configuration.applicationName = "listening-" + scratch.schema.suffix(12)
                let listener = PostgresListener(configuration, channels: [scratch.schema])
                #expect(try await listener.next(within: .seconds(10)) == [.mayHaveMissed])
                let check = PostgresConnection(scratch.configuration)
                let process: Int = try await check.query(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = $1",
                    [.text(configuration.applicationName)]
                )[0].decode("pid")
                async let heard = listener.next(within: .seconds(30))
                try await end(process, scratch)
                #expect(try await heard == [.mayHaveMissed])
                try await check.execute("SELECT pg_notify($1, '')", [.text(scratch.schema)])
                #expect(
                    try await listener.next(within: .seconds(10))
                        == [.received(channel: scratch.schema, payload: "")])
                await check.close()
                await listener.close()
            }
        }

        @Test func anUnreachableServerIsWaitedForAndNamed() async throws {
            try await withScratch { scratch async throws in
                var configuration = scratch.configuration
                configuration.port = 1
                let listener = PostgresListener(configuration, channels: ["x"])
                #expect(try await listener.next(within: .milliseconds(300)).isEmpty)
                #expect(await listener.lastFailure?.label == "connection_failed")
                await listener.close()
            }
        }

        @Test func cancellingEndsTheWaitAtOnce() async throws {
            try await withScratch { scratch async throws in
                let listener = PostgresListener(scratch.configuration, channels: [scratch.schema])
                #expect(try await listener.next(within: .seconds(10)) == [.mayHaveMissed])
                let start = ContinuousClock.now
                let waiting = Task { try await listener.next(within: .seconds(60)) }
                waiting.cancel()
                #expect(await postgresError { try await waiting.value } == .cancelled)
                let closing = Task { try await listener.next(within: .seconds(60)) }
                await Task.yield()
                await listener.close()
                #expect(await postgresError { try await closing.value } == .poolClosed)
                #expect(ContinuousClock.now - start < .seconds(20))
            }
        }
    }
}
