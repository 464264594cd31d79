import Domain
import Foundation
import PostgreSQL

/// The order lines as this service knows them. What is open is always a query over them, never a counter.
enum OpenLineStore {
    /// What decides the open units of a shelf: the code, which lines its stock contains, whose orders count.
    struct Scope: Sendable, Hashable {
        var code: ERPCode
        /// Lines reported up to then are contained in the stock (``ReflectionPolicy/cutoff(of:)``).
        var cutoff: Date?
        /// The shops whose shelves share a warehouse. Sorted.
        var pool: [ShopName]
    }

    /// The units on open lines, in ERP units; a scope without any is left out.
    ///
    /// The conditions are those of Domain's ``OpenLine/counts(upTo:at:)``; a test holds the two against each other.
    static func open(
        _ scopes: Set<Scope>, at now: Date, in transaction: Transaction
    ) throws -> [Scope: Quantity] {
        var result: [Scope: Quantity] = [:]
        for (pool, scopes) in Dictionary(grouping: scopes, by: \.pool) {
            let rows = try transaction.query(
                """
                SELECT w.place, sum(l.quantity) FROM unnest($1::text[], $2::timestamptz[])
                    WITH ORDINALITY AS w (code, cutoff, place)
                JOIN order_lines l ON l.erp_code = w.code AND l.is_open
                WHERE l.shop = ANY($3)
                  AND (l.report_sent_at IS NULL OR w.cutoff IS NULL OR l.report_sent_at > w.cutoff)
                  AND (l.reserved_until IS NULL OR l.reserved_until > $4::timestamptz)
                GROUP BY w.place
                """,
                [
                    .textArray(scopes.map(\.code.rawValue)), .nullableTimestampArray(scopes.map(\.cutoff)),
                    .textArray(pool.map(\.rawValue)), .timestamp(now),
                ])
            for row in rows {
                let place = try row.decode(at: 0, as: Int.self)
                result[scopes[place - 1]] = try StockStore.quantity(row.decode(at: 1))
            }
        }
        return result
    }

    /// A line as it stands in its row.
    struct Row: Sendable, Equatable {
        var order: OrderReference
        var line: String
        var code: ERPCode?
        var quantity: Quantity
        var listing: ListingID?
        var shelf: ListingID?
        /// Units of the listing that the shop took off its own stock for it.
        var taken: Int
        var reservedUntil: Date?
        var isOpen: Bool
        var isReflected: Bool
    }

    /// The lines of these orders.
    static func lines(of orders: [OrderReference], in transaction: Transaction) throws -> [Row] {
        guard !orders.isEmpty else { return [] }
        let rows = try transaction.query(
            """
            SELECT l.shop, l.external_id, l.line_id, l.erp_code, l.quantity, l.listing, l.shelf, l.taken,
                l.reserved_until, l.is_open, l.is_reflected
            FROM unnest($1::text[], $2::text[]) AS o (shop, external_id)
            JOIN order_lines l ON l.shop = o.shop AND l.external_id = o.external_id
            ORDER BY l.shop, l.external_id, l.line_id
            """, [.textArray(orders.map(\.shop.rawValue)), .textArray(orders.map(\.externalID))])
        return try rows.map { row in
            Row(
                order: OrderReference(
                    shop: ShopName(rawValue: try row.decode(at: 0)), externalID: try row.decode(at: 1)),
                line: try row.decode(at: 2), code: try row.decode(at: 3, as: String?.self).map(ERPCode.init(rawValue:)),
                quantity: try StockStore.quantity(row.decode(at: 4)) ?? .zero,
                listing: try row.decode(at: 5, as: String?.self).map(ListingID.init(rawValue:)),
                shelf: try row.decode(at: 6, as: String?.self).map(ListingID.init(rawValue:)),
                taken: try row.decode(at: 7), reservedUntil: try row.decode(at: 8), isOpen: try row.decode(at: 9),
                isReflected: try row.decode(at: 10))
        }
    }

    /// Writes lines; what was reported about them stays.
    static func save(_ rows: [Row], in transaction: Transaction) throws {
        guard !rows.isEmpty else { return }
        try transaction.execute(
            """
            INSERT INTO order_lines (shop, external_id, line_id, erp_code, quantity, listing, shelf, taken,
                reserved_until, is_open, is_reflected)
            SELECT shop, external_id, line_id, erp_code, quantity, listing, shelf, taken, reserved_until, is_open,
                is_reflected
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]::numeric[], $6::text[], $7::text[],
                $8::int[], $9::timestamptz[], $10::boolean[], $11::boolean[])
                AS r (shop, external_id, line_id, erp_code, quantity, listing, shelf, taken, reserved_until, is_open,
                      is_reflected)
            ORDER BY shop, external_id, line_id
            ON CONFLICT (shop, external_id, line_id) DO UPDATE
            SET erp_code = excluded.erp_code, quantity = excluded.quantity, listing = excluded.listing,
                shelf = excluded.shelf, taken = excluded.taken, reserved_until = excluded.reserved_until,
                is_open = excluded.is_open, is_reflected = excluded.is_reflected
            """,
            [
                .textArray(rows.map(\.order.shop.rawValue)), .textArray(rows.map(\.order.externalID)),
                .textArray(rows.map(\.line)), .nullableTextArray(rows.map { $0.code?.rawValue }),
                .textArray(rows.map(\.quantity.description)), .nullableTextArray(rows.map { $0.listing?.rawValue }),
                .nullableTextArray(rows.map { $0.shelf?.rawValue }), .intArray(rows.map(\.taken)),
                .nullableTimestampArray(rows.map(\.reservedUntil)), .booleanArray(rows.map(\.isOpen)),
                .booleanArray(rows.map(\.isReflected)),
            ])
    }

    /// Takes in what a batch told the ERP. The same quantity told again changes nothing; of two different ones the
    /// later counts.
    ///
    /// - Returns: The codes of the lines that are open.
    static func report(
        _ lines: [(order: String, line: String, quantity: Quantity)], of shop: ShopName, sentAt: Date,
        in transaction: Transaction
    ) throws -> [ERPCode] {
        guard !lines.isEmpty else { return [] }
        let rows = try transaction.query(
            """
            INSERT INTO order_lines AS l (shop, external_id, line_id, reported_quantity, reported_at)
            SELECT $1, external_id, line_id, quantity, $2::timestamptz
            FROM unnest($3::text[], $4::text[], $5::text[]::numeric[]) AS r (external_id, line_id, quantity)
            ORDER BY external_id, line_id
            ON CONFLICT (shop, external_id, line_id) DO UPDATE
            SET reported_at = CASE
                    WHEN l.reported_quantity = excluded.reported_quantity
                        THEN least(l.reported_at, excluded.reported_at)
                    ELSE greatest(l.reported_at, excluded.reported_at) END,
                reported_quantity = CASE
                    WHEN l.reported_at > excluded.reported_at THEN l.reported_quantity
                    ELSE excluded.reported_quantity END
            RETURNING CASE WHEN is_open THEN erp_code END
            """,
            [
                .text(shop.rawValue), .timestamp(sentAt), .textArray(lines.map(\.order)),
                .textArray(lines.map(\.line)), .textArray(lines.map(\.quantity.description)),
            ])
        return Array(
            Set(try rows.compactMap { try $0.decode(at: 0, as: String?.self).map(ERPCode.init(rawValue:)) }))
    }

    /// The codes of open lines that were reported up to a moment and that a source states.
    static func codes(
        reportedUpTo moment: Date, statedBy source: SourceName, in transaction: Transaction
    ) throws -> [ERPCode] {
        let rows = try transaction.query(
            """
            SELECT DISTINCT l.erp_code FROM order_lines l
            WHERE l.is_open AND l.report_sent_at <= $2
              AND EXISTS (SELECT 1 FROM stock t WHERE t.source = $1 AND t.sku = l.erp_code)
            """, [.text(source.rawValue), .timestamp(moment)])
        return try rows.map { ERPCode(rawValue: try $0.decode(at: 0)) }
    }

    /// Closes lines whose unpaid reserve has run out, and returns their codes.
    static func endReserves(at now: Date, atMost count: Int, in transaction: Transaction) throws -> [ERPCode] {
        let rows = try transaction.query(
            """
            UPDATE order_lines SET is_open = false WHERE (shop, external_id, line_id) IN (
                SELECT shop, external_id, line_id FROM order_lines WHERE is_open AND reserved_until <= $1
                ORDER BY reserved_until LIMIT $2 FOR UPDATE SKIP LOCKED)
            RETURNING erp_code
            """, [.timestamp(now), .int(count)])
        return Array(Set(try rows.map { ERPCode(rawValue: try $0.decode(at: 0)) }))
    }

    /// Closes lines that every source has contained for so long that no statement can undo it. Changes no level.
    ///
    /// - Returns: How many.
    static func closeReflected(
        _ policy: ReflectionPolicy, graceSeconds: Double, atMost count: Int, in transaction: Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            UPDATE order_lines SET is_open = false, is_reflected = true WHERE (shop, external_id, line_id) IN (
                SELECT l.shop, l.external_id, l.line_id FROM order_lines l
                JOIN LATERAL (
                    SELECT min(\(StockStore.statedAt) - make_interval(secs =>
                        CASE src.quantities WHEN 'net' THEN $1::float8 ELSE $2::float8 END)) AS cutoff
                    FROM stock t LEFT JOIN sources src ON src.source = t.source WHERE t.sku = l.erp_code
                ) AS s ON l.report_sent_at < s.cutoff - make_interval(secs => $3::float8)
                WHERE l.is_open AND l.report_sent_at
                    < (SELECT max(complete_as_of) FROM sources) - make_interval(secs => $3::float8)
                ORDER BY l.report_sent_at LIMIT $4 FOR UPDATE OF l SKIP LOCKED)
            """,
            [
                .double(policy.entryLagSeconds), .double(policy.shipLagSeconds), .double(graceSeconds), .int(count),
            ])
    }

    /// Forgets orders that are older than anything that could still be said about them, and have no open line.
    ///
    /// - Returns: How many.
    static func forget(placedBefore moment: Date, atMost count: Int, in transaction: Transaction) throws -> Int {
        let rows = try transaction.query(
            """
            DELETE FROM orders WHERE (shop, external_id) IN (
                SELECT o.shop, o.external_id FROM orders o WHERE o.placed_at < $1 AND NOT EXISTS (
                    SELECT 1 FROM order_lines l
                    WHERE l.shop = o.shop AND l.external_id = o.external_id AND l.is_open)
                LIMIT $2 FOR UPDATE SKIP LOCKED)
            RETURNING shop, external_id
            """, [.timestamp(moment), .int(count)])
        let shops = try rows.map { try $0.decode(at: 0, as: String.self) }
        let ids = try rows.map { try $0.decode(at: 1, as: String.self) }
        try transaction.execute(
            """
            DELETE FROM order_lines l USING unnest($1::text[], $2::text[]) AS o (shop, external_id)
            WHERE l.shop = o.shop AND l.external_id = o.external_id
            """, [.textArray(shops), .textArray(ids)])
        return ids.count
    }
}
