import Contracts
import Foundation
import Messaging
import PostgreSQL
import TestStack
import Testing

@testable import ServiceKit

@Suite("Commands, files and replicas, on the real database", .timeLimit(.minutes(20)))
struct CommandTests {
    private static let services = ServiceCatalogue.services(shops: [], tiers: []).filter { $0.name == .stockPublisher }

    private func withDatabase(_ body: (ScratchSystem, ServiceDatabase) async throws -> Void) async throws {
        try await ScratchSystem.with(Self.services) { system in
            try await withPool(to: system.database(.stockPublisher)) { pool in
                try await body(system, ServiceDatabase(pool: pool, service: .stockPublisher, now: { Date() }))
            }
        }
    }

    @Test("the first final answer of a command stands")
    func firstAnswer() async throws {
        try await withDatabase { system, database in
            let id = UUID()
            _ = try await database.pool.query(
                "SELECT shared.submit_command($1, 'stock-publisher', 'run', '{}', 'lan')", [.uuid(id)])
            try await database.unitOfWork { work in try work.answer(id, .done, CommandMessage("Asked 5 shops.")) }
            try await database.unitOfWork { work in try work.answer(id, .failed, CommandMessage("No.")) }
            let rows = try await database.pool.query(
                "SELECT state, answer, requested_by FROM shared.command_state($1)", [.uuid(id)])
            let row = try #require(rows.first)
            #expect(try row.decode("state", as: String.self) == "done")
            #expect(try row.decode("answer", as: String.self).contains("Asked 5 shops."))
            #expect(try row.decode("requested_by", as: String.self) == "lan")
            #expect(try await system.number("SELECT count(*) FROM shared.commands WHERE answered_at IS NULL") == 0)
        }
    }

    @Test("an answer that does not commit is no answer")
    func rolledBack() async throws {
        struct Deliberate: Error {}
        try await withDatabase { system, database in
            let id = UUID()
            _ = try await database.pool.query(
                "SELECT shared.submit_command($1, 'stock-publisher', 'run', '{}', 'lan')", [.uuid(id)])
            await #expect(throws: Deliberate.self) {
                try await database.unitOfWork { work in
                    try work.answer(id, .done, CommandMessage("x"))
                    throw Deliberate()
                }
            }
            #expect(try await system.number("SELECT count(*) FROM shared.commands WHERE state = 'requested'") == 1)
        }
    }

    @Test("a file is kept byte for byte, once")
    func files() async throws {
        try await withDatabase { system, database in
            let id = UUID()
            let content = (0...255).map { UInt8($0) }
            for name in ["stock.csv", "other.csv"] {
                try await database.unitOfWork { work in
                    try work.storeFile(id: id, service: .stockPublisher, name: name, digest: "d", content: content)
                }
            }
            let rows = try await database.pool.query("SELECT name, content FROM shared.read_file($1)", [.uuid(id)])
            let row = try #require(rows.first)
            #expect(try row.decode("name", as: String.self) == "stock.csv")
            #expect(try row.decode("content", as: [UInt8].self) == content)
            #expect(try await system.number("SELECT size::int FROM shared.files") == 256)
        }
    }
}
