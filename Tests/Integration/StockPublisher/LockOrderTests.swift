import Contracts
import Domain
import Foundation
import PostgreSQL
import ShopSimulators
import TestStack
import Testing

@Suite("Commands take locks in the order in which a remap takes them", .timeLimit(.minutes(20)))
struct LockOrderTests {
    /// Of ``MappingLock``; what is published cannot be looked up.
    private static let mapping = 7_733_020

    @Test("who lets a shop out of shadow waits for a remap before the shop's row is touched")
    func shadow() async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.mapped()
            try await bench.stock([("SOAP", 5)], sequence: 1)
            #expect(try await bench.wants(5, of: "10"), "there is something to push")
            let remap = PostgresConnection(bench.system.databaseAdministrator)
            let outcome: Result<Void, any Error>
            do {
                try await remap.script(
                    "BEGIN; SET LOCAL lock_timeout = '500ms'; SELECT pg_advisory_xact_lock(\(Self.mapping))")
                try await bench.command(.shadowOff, ["shop": .string("hanoi")])
                let waits = try await eventually {
                    try await bench.system.number(
                        """
                        SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                        AND objid = \(Self.mapping)
                            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                        """) > 0
                }
                #expect(waits, "the command waits for the remap")
                try await remap.script("UPDATE publishing.shops SET remap_pending = false WHERE shop = 'hanoi'; COMMIT")
                outcome = .success(())
            } catch { outcome = .failure(error) }
            await remap.close()
            try outcome.get()
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM publishing.shops WHERE NOT shadow") == 1
                })
        }
    }
}
