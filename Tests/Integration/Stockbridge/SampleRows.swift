import Contracts
import DeadLetters
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import TestStack

@testable import Stockbridge

/// A system with dead letters as notifier keeps them, and the tool's way to read it.
struct LetterSystem: Sendable {
    static let hanoi = ShopName("hanoi")

    let system: ScratchSystem
    let database: OperatorDatabase

    var queues: [String: Set<String>] {
        Dictionary(
            uniqueKeysWithValues: system.services.map { ($0.name.rawValue, Set($0.queues.map(\.name))) })
    }

    /// Only what the tool reads: no service runs.
    static func with(_ body: (LetterSystem) async throws -> Void) async throws {
        let services = ServiceCatalogue.services(shops: [hanoi], tiers: [])
        try await ScratchSystem.with(services) { system in
            try await withPool(to: system.database(.stockbridge)) { pool in
                try await body(LetterSystem(system: system, database: OperatorDatabase(pool: pool)))
            }
        }
    }

    /// A letter about a push of one shelf, unless said otherwise.
    struct Sample {
        var service = "stock-publisher"
        var queue = "stock-publisher.push.hanoi"
        var identity = UUID().uuidString.lowercased()
        var topic = "stock-publisher.push"
        var dataSchema: String? = PushWork.type.dataSchema
        var shop: String? = "hanoi"
        var order: String?
        var items: [String] = ["hanoi/310"]
        var code = "shop.malformed"
        var message = "Shop hanoi answered something that is not JSON."
        var failedAt = Date(timeIntervalSince1970: 1_795_302_600)
        var state = "waiting"
        var body: [UInt8] = []
        var editedBody: [UInt8]?
    }

    /// Stores letters and returns their ids.
    @discardableResult
    func store(_ samples: [Sample]) async throws -> [Int64] {
        let connection = PostgresConnection(system.databaseAdministrator)
        var ids: [Int64] = []
        for sample in samples {
            let rows = try await connection.query(
                """
                INSERT INTO dead_letters.letters (service, queue, identity, topic, data_schema, shop, order_reference,
                    items, properties, body, edited_body, error_class, error_code, error_message, fingerprint,
                    attempts, failed_at, archived_at, death, state, state_at)
                VALUES ($1, $2::text, $3, $4::text, $5, $6, $7, $8, '{"texts":{"k":"v"},"numbers":{},"others":[]}', $9,
                    $10, 'permanent', $11::text, $12, $2::text || '|' || $4::text || '|' || $11::text, 3,
                    $13::timestamptz, $13::timestamptz, '', $14, $13::timestamptz)
                RETURNING id
                """,
                [
                    .text(sample.service), .text(sample.queue), .text(sample.identity), .text(sample.topic),
                    .maybe(sample.dataSchema, PostgresValue.text), .maybe(sample.shop, PostgresValue.text),
                    .maybe(sample.order, PostgresValue.text), .textArray(sample.items), .bytes(sample.body),
                    .maybe(sample.editedBody, PostgresValue.bytes), .text(sample.code), .text(sample.message),
                    .timestamp(sample.failedAt), .text(sample.state),
                ])
            ids += try rows.map { try $0.decode("id") }
        }
        await connection.close()
        return ids
    }

    static func push(_ shelf: String, version: Int64) throws -> [UInt8] {
        try ContractCoding.encode(
            PushWork(shop: hanoi, shelves: [.init(id: ListingID(shelf), version: version)], retryRejected: false))
    }
}
