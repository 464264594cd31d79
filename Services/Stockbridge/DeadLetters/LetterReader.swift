import Contracts
import DeadLetters
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// One dead letter in a list. Without its body: a list is copied into chats.
struct LetterLine: Sendable, Encodable, Equatable {
    var id: Int64
    var service: String
    var queue: String
    var topic: String?
    var shop: String?
    var order: String?
    var erp: String?
    var items: [String]
    var errorClass: String
    var errorCode: String
    var errorMessage: String
    var fingerprint: String
    var failedAt: Date
    var attempts: Int
    var times: Int
    var state: String
    var edited: Bool
}

/// The newest letters of a filter, and how many it takes in all.
struct LetterPage: Sendable, Encodable {
    var total: Int
    var letters: [LetterLine]
}

/// A step in the life of a letter.
struct LetterStep: Sendable, Encodable {
    var at: Date
    var step: String
    var who: String
    var why: String?
    var detail: String?
}

/// What a filter takes, frozen.
struct LetterSet: Sendable {
    var count: Int
    /// The highest id among them: what fails after the look is not meant.
    var newest: Int64
}

/// Reads the dead letters under the operator's role.
struct LetterReader: Sendable {
    let database: OperatorDatabase

    static func unknown(_ id: Int64, andMore more: Int = 0) -> ToolError {
        .failed(
            "There is no dead letter \(id)\(more > 0 ? ", and \(more) more of those named do not exist" : ""); "
                + "'stockbridge dead-letters list --state all' shows which there are; those that are settled leave "
                + "after \(RetentionPeriod.recordDays) days. Nothing was done.")
    }

    private static let columns = """
        l.id, l.service, l.queue, l.topic, l.shop, l.order_reference, l.erp, l.items[1:20] AS items, l.error_class,
        l.error_code, l.error_message, l.fingerprint, l.failed_at, l.attempts, l.times, l.state,
        l.edited_body IS NOT NULL AS edited
        """

    private static func line(_ row: Row) throws -> LetterLine {
        LetterLine(
            id: try row.decode("id"), service: try row.decode("service"), queue: try row.decode("queue"),
            topic: try row.decode("topic"), shop: try row.decode("shop"), order: try row.decode("order_reference"),
            erp: try row.decode("erp"), items: try row.decode("items"), errorClass: try row.decode("error_class"),
            errorCode: try row.decode("error_code"), errorMessage: try row.decode("error_message"),
            fingerprint: try row.decode("fingerprint"), failedAt: try row.decode("failed_at"),
            attempts: try row.decode("attempts"), times: try row.decode("times"), state: try row.decode("state"),
            edited: try row.decode("edited"))
    }

    /// The newest first.
    func page(_ filter: LetterFilter, limit: Int) async throws -> LetterPage {
        let (condition, parameters) = filter.condition()
        let rows = try await database.pool.query(
            """
            SELECT \(Self.columns) FROM dead_letters.letters l WHERE \(condition)
            ORDER BY l.failed_at DESC, l.id DESC LIMIT \(limit)
            """, parameters)
        let letters = try rows.map(Self.line)
        let total = letters.count < limit ? letters.count : try await set(filter).count
        return LetterPage(total: total, letters: letters)
    }

    func groups(_ filter: LetterFilter) async throws -> [LetterGroup] {
        let statement = LetterQueries.groups(filter)
        return try await database.pool.query(statement.sql, statement.parameters).map { try LetterGroup($0) }
    }

    /// How many letters a filter takes, and the newest of them.
    func set(_ filter: LetterFilter) async throws -> LetterSet {
        let (condition, parameters) = filter.condition()
        let rows = try await database.pool.query(
            """
            SELECT count(*) AS count, coalesce(max(l.id), 0) AS newest FROM dead_letters.letters l
            WHERE \(condition)
            """, parameters)
        guard let row = rows.first else { return LetterSet(count: 0, newest: 0) }
        return LetterSet(count: try row.decode("count"), newest: try row.decode("newest"))
    }

    /// Those of the ids that no letter has.
    func missing(_ ids: [Int64]) async throws -> [Int64] {
        guard !ids.isEmpty else { return [] }
        return try await database.pool.query(
            """
            SELECT n.id FROM unnest($1::bigint[]) AS n (id)
            WHERE NOT EXISTS (SELECT 1 FROM dead_letters.letters l WHERE l.id = n.id) ORDER BY n.id
            """, [.integerArray(ids)]
        ).map { try $0.decode("id") }
    }

    /// A filter may take none, but an id that somebody names may not be wrong.
    func require(_ ids: [Int64]) async throws {
        let missing = try await missing(ids)
        guard let first = missing.first else { return }
        throw Self.unknown(first, andMore: missing.count - 1)
    }

    /// What messages call a SKU: the text itself, the ERP codes that a shop's SKU stands for, and the shelves
    /// (`shop/listing`) on which it lies.
    func items(named sku: String, shop: String?) async throws -> [String] {
        let rows = try await database.pool.query(
            """
            SELECT DISTINCT unnest(ARRAY[l.erp_code, l.shop || '/' || l.shelf, l.shop || '/' || l.listing]) AS item
            FROM publishing.listings l
            WHERE ($2::text IS NULL OR l.shop = $2::text)
              AND (l.sku = $1::text OR l.erp_code = $1::text OR l.listing = $1::text
                   OR lower(btrim(l.sku)) = lower(btrim($1::text)))
            """, [.text(sku), .maybe(shop, PostgresValue.text)])
        let found = try rows.compactMap { try $0.decode("item", as: String?.self) }
        return [sku] + Set(found).subtracting([sku]).sorted()
    }

    /// Everything about one letter.
    ///
    /// - Throws: ``ToolError`` if there is none of that id.
    func detail(_ id: Int64) async throws -> LetterDetail {
        let found = try await database.pool.query(
            """
            SELECT \(Self.columns), l.identity, l.data_schema, l.subject, l.correlation, l.properties, l.body,
                l.edited_body, l.first_failed_at, l.archived_at, l.state_at, l.job, cardinality(l.items) AS item_count
            FROM dead_letters.letters l WHERE l.id = $1
            """, [.integer(id)])
        guard let row = found.first else { throw Self.unknown(id) }
        let history = try await database.pool.query(
            "SELECT at, step, who, why, detail FROM dead_letters.history WHERE letter = $1 ORDER BY id",
            [.integer(id)])
        let properties = try row.decode("properties", as: String.self)
        let edited = try row.decode("edited_body", as: [UInt8]?.self)
        return LetterDetail(
            letter: try Self.line(row), identity: try row.decode("identity"), dataSchema: try row.decode("data_schema"),
            subject: try row.decode("subject"), correlation: try row.decode("correlation"),
            firstFailedAt: try row.decode("first_failed_at"), archivedAt: try row.decode("archived_at"),
            stateAt: try row.decode("state_at"), job: try row.decode("job", as: UUID?.self),
            itemCount: try row.decode("item_count"),
            properties: try? ContractCoding.decode(KeptProperties.self, from: Array(properties.utf8)),
            body: ShownBody(try row.decode("body", as: [UInt8].self)), editedBody: edited.map { ShownBody($0) },
            history: try history.map { row in
                LetterStep(
                    at: try row.decode("at"), step: try row.decode("step"), who: try row.decode("who"),
                    why: try row.decode("why"), detail: try row.decode("detail"))
            })
    }

    /// What an edit begins with.
    func body(of id: Int64) async throws -> EditableLetter {
        let found = try await database.pool.query(
            """
            SELECT state, data_schema, coalesce(edited_body, body) AS body FROM dead_letters.letters WHERE id = $1
            """, [.integer(id)])
        guard let row = found.first else { throw Self.unknown(id) }
        return EditableLetter(
            id: id, state: try row.decode("state"), dataSchema: try row.decode("data_schema"),
            body: try row.decode("body", as: [UInt8].self))
    }
}
