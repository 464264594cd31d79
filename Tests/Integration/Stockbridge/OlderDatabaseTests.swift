import Contracts
import Domain
import ServiceKit
import TestStack
import Testing

@testable import Stockbridge

@Suite("A database that the version before this one has migrated", .timeLimit(.minutes(20)))
struct OlderDatabaseTests {
    @Test(
        "What is missing there is told as what to do",
        arguments: [
            "ALTER TABLE stock.snapshots DROP COLUMN rows_removed_at", "DROP TABLE stock.snapshots CASCADE",
        ])
    func missing(sql: String) async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"], tiers: [])) { system in
            try await system.administrate(sql)
            let error = await #expect(throws: ToolError.self) {
                try await OperatorDatabase.withPool(
                    system.database(.stockbridge), connections: 1, for: .service(.stockbridge)
                ) { pool in
                    let store = SnapshotStore(database: OperatorDatabase(pool: pool))
                    _ = try await store.list(source: nil, heldOnly: false, limit: 10)
                }
            }
            #expect(error?.description.hasSuffix("run 'stockbridge migrate'.") == true)
        }
    }
}
