import Contracts
import Domain
import Foundation
import PostgreSQL

/// A row of the ledger with what is stored beside Domain's record.
struct LedgerRow: Sendable {
    var record: OrderRecord
    /// When we learnt of its newest revision; what others are told goes by it to see what came before it.
    var learntAt: Date

    var reference: OrderReference { record.order.reference }
}

/// What a reading is compared with, without the facts.
struct KnownOrder: Sendable {
    let revision: KnownRevision
    let isUnreadable: Bool
}

/// Loads and stores rows of the ledger. Rows are locked in key order, so that two replicas cannot deadlock.
enum OrderStore {
    private static let columns = """
        shop, external_id, number, revision, state_version, digest, updated_at, placed_at, learnt_at, read_at, facts,
        lines, holds, hold_codes, held_at, released, cancellation, reserved_until, unreadable, first_sent_at,
        report_sent_at, sent_batch, sent_revision, sent_state_version, sent_as_cancelled
        """
    private static let types = [
        "text", "text", "text", "int", "int", "text", "timestamptz", "timestamptz", "timestamptz", "timestamptz",
        "text", "text", "text", "text", "timestamptz", "text", "text", "timestamptz", "text", "timestamptz",
        "timestamptz", "text", "int", "int", "boolean",
    ]
    private static let names = columns.split(separator: ",").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }

    /// What is known of these orders; without locks.
    static func known(
        _ ids: [String], of shop: ShopName, _ query: (String, [PostgresValue]) async throws -> Rows
    ) async throws -> [String: KnownOrder] {
        let rows = try await query(
            """
            SELECT external_id, digest, updated_at, read_at, unreadable IS NOT NULL FROM orders
            WHERE shop = $1 AND external_id = ANY($2)
            """, [.text(shop.rawValue), .textArray(ids)])
        var known: [String: KnownOrder] = [:]
        for row in rows {
            known[try row.decode(at: 0)] = KnownOrder(
                revision: KnownRevision(
                    digest: try row.decode(at: 1), updatedAt: try row.decode(at: 2), readAt: try row.decode(at: 3)),
                isUnreadable: try row.decode(at: 4))
        }
        return known
    }

    /// Loads rows under their locks.
    static func lock(_ ids: [String], of shop: ShopName, in transaction: Transaction) throws -> [String: LedgerRow] {
        let rows = try transaction.query(
            """
            SELECT \(columns) FROM orders WHERE shop = $1 AND external_id = ANY($2) ORDER BY external_id FOR UPDATE
            """, [.text(shop.rawValue), .textArray(ids)])
        var result: [String: LedgerRow] = [:]
        for row in rows {
            let found = try decode(row)
            result[found.record.order.externalID] = found
        }
        return result
    }

    /// Loads a page of rows by id, without locks.
    static func page(
        of shop: ShopName, after id: String, placedSince: Date, limit: Int, in transaction: Transaction
    ) throws -> [LedgerRow] {
        try transaction.query(
            """
            SELECT \(columns) FROM orders
            WHERE shop = $1 AND external_id > $2 AND (report_sent_at IS NULL OR placed_at >= $3)
            ORDER BY external_id LIMIT $4
            """, [.text(shop.rawValue), .text(id), .timestamp(placedSince), .int(limit)]
        ).map(decode)
    }

    /// Adds rows that nobody may have added meanwhile.
    ///
    /// - Returns: The ids of those that were added.
    static func insert(_ rows: [LedgerRow], in transaction: Transaction) throws -> Set<String> {
        guard !rows.isEmpty else { return [] }
        let added = try transaction.query(insertStatement, try parameters(rows))
        return Set(try added.map { try $0.decode(at: 0) })
    }

    /// Writes locked rows back.
    static func update(_ rows: [LedgerRow], in transaction: Transaction) throws {
        guard !rows.isEmpty else { return }
        try transaction.execute(updateStatement, try parameters(rows))
    }

    /// Keeps a newer time of the last change where nothing else is new.
    static func touch(_ times: [(id: String, updatedAt: Date)], of shop: ShopName, in transaction: Transaction) throws {
        guard !times.isEmpty else { return }
        try transaction.execute(
            """
            UPDATE orders o SET updated_at = t.updated_at
            FROM unnest($2::text[], $3::timestamptz[]) AS t (id, updated_at)
            WHERE o.shop = $1 AND o.external_id = t.id AND o.updated_at < t.updated_at
            """, [.text(shop.rawValue), .textArray(times.map(\.id)), .timestampArray(times.map(\.updatedAt))])
    }

    // MARK: Columns

    private static let arrays = types.enumerated().map { "$\($0 + 1)::text[]::\($1)[]" }.joined(separator: ", ")
    private static let selected = names.map { $0 == "hold_codes" ? "hold_codes::text[]" : $0 }.joined(separator: ", ")

    private static let insertStatement = """
        INSERT INTO orders (\(names.joined(separator: ", ")))
        SELECT \(selected) FROM unnest(\(arrays)) AS row (\(names.joined(separator: ", ")))
        ORDER BY shop, external_id ON CONFLICT DO NOTHING RETURNING external_id
        """

    private static let updateStatement: String = {
        let updates = names.dropFirst(2).map { name in
            "\(name) = row.\(name)" + (name == "hold_codes" ? "::text[]" : "")
        }.joined(separator: ", ")
        return """
            UPDATE orders o SET \(updates)
            FROM unnest(\(arrays)) AS row (\(names.joined(separator: ", ")))
            WHERE o.shop = row.shop AND o.external_id = row.external_id
            """
    }()

    private static func parameters(_ rows: [LedgerRow]) throws -> [PostgresValue] {
        func texts(_ value: (OrderRecord) throws -> String?) rethrows -> PostgresValue {
            .nullableTextArray(try rows.map { try value($0.record) })
        }
        func times(_ value: (LedgerRow) -> Date?) -> PostgresValue {
            .nullableTextArray(rows.map { value($0).map(UTCTimestamp.format) })
        }
        return [
            texts { $0.order.shop.rawValue }, texts { $0.order.externalID }, texts { $0.order.number },
            texts { "\($0.version.revision)" }, texts { "\($0.version.stateVersion)" }, texts { $0.digest },
            times { $0.record.order.updatedAt }, times { $0.record.order.placedAt }, times { $0.learntAt },
            times { $0.record.readAt }, try texts { try StoredJSON.text($0.order) },
            try texts { try StoredJSON.text($0.lines) }, try texts { try StoredJSON.text($0.holds) },
            texts { "{" + $0.holds.map(\.code.rawValue).joined(separator: ",") + "}" }, times { $0.record.heldAt },
            try texts { try StoredJSON.text($0.released) }, texts { $0.cancellation?.rawValue },
            times { $0.record.reservedUntil }, texts { $0.unreadable }, times { $0.record.report?.firstSentAt },
            times { $0.record.report?.sentAt }, texts { $0.report?.batchID },
            texts { $0.report.map { "\($0.version.revision)" } },
            texts { $0.report.map { "\($0.version.stateVersion)" } },
            texts { $0.report?.asCancelled == true ? "t" : "f" },
        ]
    }

    private static func decode(_ row: Row) throws -> LedgerRow {
        var order = try StoredJSON.value(Order.self, try row.decode(at: 10))
        // The column moves with readings that say nothing else.
        order.updatedAt = try row.decode(at: 6)
        var report: OrderReportFacts?
        if let sentAt = try row.decode(at: 20, as: Date?.self) {
            report = OrderReportFacts(
                firstSentAt: try row.decode(at: 19, as: Date?.self) ?? sentAt, sentAt: sentAt,
                batchID: try row.decode(at: 21, as: String?.self) ?? "",
                version: OrderVersion(
                    revision: try row.decode(at: 22, as: Int?.self) ?? 0,
                    stateVersion: try row.decode(at: 23, as: Int?.self) ?? 0),
                asCancelled: try row.decode(at: 24))
        }
        let record = OrderRecord(
            order: order, digest: try row.decode(at: 5), readAt: try row.decode(at: 9),
            version: OrderVersion(revision: try row.decode(at: 3), stateVersion: try row.decode(at: 4)),
            lines: try StoredJSON.value([OrderLineMapping].self, try row.decode(at: 11)),
            holds: try StoredJSON.value([OrderHold].self, try row.decode(at: 12)), heldAt: try row.decode(at: 14),
            released: try StoredJSON.value([OrderHold].self, try row.decode(at: 15)),
            cancellation: try row.decode(at: 16, as: String?.self).flatMap(OrderCancellation.init(rawValue:)),
            report: report, reservedUntil: try row.decode(at: 17), unreadable: try row.decode(at: 18))
        return LedgerRow(record: record, learntAt: try row.decode(at: 8))
    }
}
