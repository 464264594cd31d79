import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// How far the shops' orders are known, who works on it, and who waits for it.
enum FeedStore {
    /// A message that asked for a pass and was not heard of for so long is taken for lost; the retry tiers are shorter
    /// together.
    static let lostAfterSeconds = 900
    /// The first pass of a shop waits so long for the mapping that was asked for.
    static let mappingWaitSeconds = 60
    /// A pass that has not moved for so long is taken for dead.
    static let leaseSeconds = 120

    static func ensureExist(_ shops: [ShopName], in transaction: Transaction) throws {
        let names = PostgresValue.textArray(shops.sorted().map(\.rawValue))
        try transaction.execute(
            "INSERT INTO feeds (shop) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", [names])
        try transaction.execute(
            "INSERT INTO mapping_states (shop) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", [names])
    }

    static func position(of shop: ShopName, in transaction: Transaction) throws -> OrderFeedPosition {
        let rows = try transaction.query(
            "SELECT cursor_at, complete_up_to, clock_ahead FROM feeds WHERE shop = $1", [.text(shop.rawValue)])
        guard let row = rows.first else { return OrderFeedPosition() }
        return OrderFeedPosition(
            cursor: try row.decode(at: 0), completeUpTo: try row.decode(at: 1), clockAheadSeconds: try row.decode(at: 2)
        )
    }

    static func clockAhead(of shop: ShopName, in transaction: Transaction) throws -> Double {
        let rows = try transaction.query("SELECT clock_ahead FROM feeds WHERE shop = $1", [.text(shop.rawValue)])
        return try rows.first?.decode(at: 0, as: Double?.self) ?? 0
    }

    /// Moves the position; by our clock it never goes back.
    static func move(
        _ shop: ShopName, to cursor: Date, completeUpTo: Date, clockAhead: Double?, at now: Date,
        in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE feeds SET cursor_at = $2, complete_up_to = greatest(complete_up_to, $3::timestamptz),
                clock_ahead = coalesce($4::double precision, clock_ahead),
                clock_measured_at = CASE WHEN $4::double precision IS NULL THEN clock_measured_at
                                         ELSE $5::timestamptz END
            WHERE shop = $1
            """,
            [
                .text(shop.rawValue), .timestamp(cursor), .timestamp(completeUpTo), .maybe(clockAhead) { .double($0) },
                .timestamp(now),
            ])
    }

    // MARK: Asking

    /// Asks for a pass unless one is under way that will see the request.
    static func ask(
        _ kind: OrdersCollected.Kind, of shop: ShopName, request: UUID?, in work: UnitOfWork
    ) throws {
        // A wish may come before this service has looked at its shops for the first time.
        try ensureExist([shop], in: work.transaction)
        if kind == .repair {
            if let request { try remember(request, kind, shop, in: work) }
            return try enqueue(kind, shop, in: work)
        }
        // The row's lock orders this after a pass that is about to end and looks for requests.
        let rows = try work.transaction.query(
            "SELECT pass_asked_at IS NOT NULL FROM feeds WHERE shop = $1 FOR UPDATE", [.text(shop.rawValue)])
        guard let row = rows.first else { return }
        if let request { try remember(request, kind, shop, in: work) }
        guard try !row.decode(at: 0, as: Bool.self) else { return }
        try work.transaction.execute(
            "UPDATE feeds SET pass_asked_at = clock_timestamp() WHERE shop = $1", [.text(shop.rawValue)])
        try enqueue(kind, shop, in: work)
    }

    /// Asks for a pass of every shop that is due; shops that another replica is looking at are skipped. A new shop
    /// waits a little for its mapping, so that its orders are not all held for a moment.
    static func askDue(_ shops: [CollectorSettings.Shop], in work: UnitOfWork) throws {
        let rows = try work.transaction.query(
            """
            SELECT shop, pass_asked_at IS NOT NULL
                AND pass_asked_at > clock_timestamp() - make_interval(secs => $3)
            FROM feeds f WHERE shop = ANY($1) AND next_pass_at <= $2 AND NOT EXISTS (
                SELECT 1 FROM mapping_states m WHERE m.shop = f.shop AND m.sequence IS NULL
                    AND m.asked_at > $2::timestamptz - make_interval(secs => $4))
            ORDER BY shop FOR UPDATE SKIP LOCKED
            """,
            [
                .textArray(shops.map(\.name.rawValue)), .timestamp(work.startedAt), .int(lostAfterSeconds),
                .int(mappingWaitSeconds),
            ])
        let every = Dictionary(uniqueKeysWithValues: shops.map { ($0.name, $0.everySeconds) })
        for row in rows {
            let shop = ShopName(rawValue: try row.decode(at: 0))
            let isUnderWay = try row.decode(at: 1, as: Bool.self)
            let next = work.startedAt.addingTimeInterval(Double(every[shop] ?? 60))
            try work.transaction.execute(
                """
                UPDATE feeds SET next_pass_at = $2,
                    pass_asked_at = CASE WHEN $3::boolean THEN pass_asked_at ELSE clock_timestamp() END
                WHERE shop = $1
                """, [.text(shop.rawValue), .timestamp(next), .boolean(isUnderWay)])
            if !isUnderWay { try enqueue(.pass, shop, in: work) }
        }
    }

    private static func remember(
        _ request: UUID, _ kind: OrdersCollected.Kind, _ shop: ShopName, in work: UnitOfWork
    ) throws {
        try work.transaction.execute(
            """
            INSERT INTO pass_requests (shop, kind, request, asked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
            """, [.text(shop.rawValue), .text(kind.rawValue), .uuid(request), .timestamp(work.startedAt)])
    }

    private static func enqueue(_ kind: OrdersCollected.Kind, _ shop: ShopName, in work: UnitOfWork) throws {
        try work.enqueue(
            Event(
                PassWork(shop: shop, kind: kind), subject: shop.rawValue, correlation: "orders \(shop.rawValue)",
                occurredAt: work.startedAt),
            queue: ServiceCatalogue.passQueue(of: shop))
    }

    // MARK: Working

    /// Takes the lease of a shop's feed, or says that somebody else has it.
    static func takeLease(
        _ kind: OrdersCollected.Kind, of shop: ShopName, owner: String, in transaction: Transaction
    ) throws -> Bool {
        let rows = try transaction.query(
            """
            INSERT INTO leases AS l (shop, kind, owner, until)
            VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
            ON CONFLICT (shop, kind) DO UPDATE SET owner = excluded.owner, until = excluded.until
            WHERE l.owner = excluded.owner OR l.until <= clock_timestamp()
            RETURNING 1
            """, [.text(shop.rawValue), .text(kind.rawValue), .text(owner), .int(leaseSeconds)])
        return !rows.isEmpty
    }

    static func giveBackLease(
        _ kind: OrdersCollected.Kind, of shop: ShopName, owner: String, in transaction: Transaction
    ) throws {
        try transaction.execute(
            "DELETE FROM leases WHERE shop = $1 AND kind = $2 AND owner = $3",
            [.text(shop.rawValue), .text(kind.rawValue), .text(owner)])
    }

    /// Who waits for a pass that begins now.
    static func requests(
        _ kind: OrdersCollected.Kind, of shop: ShopName, in transaction: Transaction
    ) throws -> [UUID] {
        try transaction.query(
            "SELECT request FROM pass_requests WHERE shop = $1 AND kind = $2 ORDER BY request",
            [.text(shop.rawValue), .text(kind.rawValue)]
        ).map { try $0.decode(at: 0) }
    }

    /// A pass is over: its requests are answered; asks for another one if somebody asked meanwhile.
    static func finish(
        _ kind: OrdersCollected.Kind, of shop: ShopName, answered: [UUID], in work: UnitOfWork
    ) throws {
        let name = PostgresValue.text(shop.rawValue)
        if kind == .pass {
            try work.transaction.execute("SELECT 1 FROM feeds WHERE shop = $1 FOR UPDATE", [name])
        }
        try work.transaction.execute(
            "DELETE FROM pass_requests WHERE shop = $1 AND kind = $2 AND request = ANY($3)",
            [name, .text(kind.rawValue), .uuidArray(answered)])
        try work.transaction.execute(
            """
            UPDATE feeds SET problem = NULL, failures = 0,
                last_pass_at = CASE WHEN $2 = 'pass' THEN $3::timestamptz ELSE last_pass_at END,
                last_repair_at = CASE WHEN $2 = 'repair' THEN $3::timestamptz ELSE last_repair_at END,
                pass_asked_at = CASE WHEN $2 = 'pass' THEN NULL ELSE pass_asked_at END
            WHERE shop = $1
            """, [name, .text(kind.rawValue), .timestamp(work.startedAt)])
        guard kind == .pass, try !requests(.pass, of: shop, in: work.transaction).isEmpty else { return }
        try work.transaction.execute(
            "UPDATE feeds SET pass_asked_at = clock_timestamp() WHERE shop = $1", [name])
        try enqueue(.pass, shop, in: work)
    }

    /// A pass did not end well.
    ///
    /// - Parameter comesBack: Whether its message comes back by itself.
    /// - Returns: Failures in a row.
    static func fail(
        _ kind: OrdersCollected.Kind, of shop: ShopName, problem: String, comesBack: Bool, in transaction: Transaction
    ) throws -> Int {
        let rows = try transaction.query(
            """
            UPDATE feeds SET problem = $2, failures = failures + 1,
                pass_asked_at = CASE WHEN $3 <> 'pass' THEN pass_asked_at
                                     WHEN $4::boolean THEN clock_timestamp() END
            WHERE shop = $1 RETURNING failures
            """,
            [
                .text(shop.rawValue), .text(String(problem.prefix(1_000))), .text(kind.rawValue), .boolean(comesBack),
            ])
        return try rows.first?.decode(at: 0) ?? 0
    }

    /// Orders of the shop placed since a moment.
    static func placed(since moment: Date, of shop: ShopName, in transaction: Transaction) throws -> Int {
        let rows = try transaction.query(
            "SELECT count(*) FROM orders WHERE shop = $1 AND placed_at >= $2",
            [.text(shop.rawValue), .timestamp(moment)])
        return try rows.first?.decode(at: 0) ?? 0
    }
}
