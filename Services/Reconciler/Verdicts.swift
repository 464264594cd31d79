import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// The verdict about what was different, once everything that can be known is known.
struct Verdicts: Sendable {
    /// What an order moved so shortly before a statement was taken may not be in it yet: two services learn of it.
    static let learningSeconds: Double = 10
    static let atOnce = 1_000
    static let repairedAtOnce = 500

    let settings: ReconcilerSettings

    /// Waits for the shop's orders where that can tell a sale from an edit; else the verdict comes at once.
    func settleOrFinish(_ shop: RunShop, in work: UnitOfWork) throws {
        let rules = settings.shop(shop.shop)
        let feed = try OrderStore.completeUpTo(shop.shop, in: work.transaction)
        guard let feed, rules?.collectsOrders ?? false, let last = try lastLook(shop, in: work.transaction), feed < last
        else { return try finish(shop, in: work) }
        try RunStore.move(
            shop, to: .settling, waitUntil: work.startedAt.addingTimeInterval(rules?.settleSeconds ?? 0),
            in: work.transaction)
    }

    /// Whether the orders of a settling shop are known now.
    func hasSettled(_ shop: RunShop, in transaction: Transaction) throws -> Bool {
        guard let feed = try OrderStore.completeUpTo(shop.shop, in: transaction),
            let last = try lastLook(shop, in: transaction)
        else { return true }
        return feed >= last
    }

    private func lastLook(_ shop: RunShop, in transaction: Transaction) throws -> Date? {
        try transaction.query(
            "SELECT max(read_to) FROM differences WHERE run = $1 AND shop = $2 AND second_look = 'read'",
            [.uuid(shop.run), .text(shop.shop.rawValue)]
        ).first.flatMap { try $0.decode(at: 0) }
    }

    /// Gives every difference its category for good, asks for repairs, and ends the shop's part.
    func finish(_ shop: RunShop, in work: UnitOfWork) throws {
        let transaction = work.transaction
        let context = try Context(shop, settings: settings, at: work.startedAt, in: transaction)
        var after = ""
        var repaired: [JSONValue] = []
        while true {
            let judged = try Self.next(shop, after: after, in: transaction).map { try context.judge($0) }
            guard let last = judged.last else { break }
            after = last.row.listing
            let repairs = settings.shop(shop.shop)?.repairs ?? false
            let rows = judged.map { repairs ? $0.withRepair() : $0 }
            try Self.save(rows, of: shop, at: work.startedAt, in: transaction)
            repaired += rows.compactMap(\.repair)
        }
        // Two listings of one shelf are one repair.
        var seen: Set<JSONValue> = []
        repaired = repaired.filter { seen.insert($0.object?["shelf"] ?? .null).inserted }
        for start in stride(from: 0, to: repaired.count, by: Self.repairedAtOnce) {
            let part = Array(repaired[start..<min(start + Self.repairedAtOnce, repaired.count)])
            work.send(
                try OutboxMessage.command(
                    .repair, arguments: ["shop": .string(shop.shop.rawValue), "shelves": .array(part)],
                    to: .stockPublisher, from: .reconciler,
                    requestedBy: "reconciliation \(shop.run.uuidString.lowercased())", at: work.startedAt))
        }
        try transaction.execute(
            "DELETE FROM findings WHERE shop = $1 AND last_seen < $2",
            [.text(shop.shop.rawValue), .timestamp(work.startedAt)])
        try close(shop, at: work.startedAt, in: transaction)
    }

    private func close(_ shop: RunShop, at now: Date, in transaction: Transaction) throws {
        let key: [PostgresValue] = [.uuid(shop.run), .text(shop.shop.rawValue)]
        var categories: [String: Int] = [:]
        for row in try transaction.query(
            "SELECT category, count(*) FROM differences WHERE run = $1 AND shop = $2 GROUP BY category", key)
        {
            categories[try row.decode(at: 0)] = try row.decode(at: 1)
        }
        let right =
            try transaction.query("SELECT ok_count FROM run_shops WHERE run = $1 AND shop = $2", key).first
            .map { try $0.decode(at: 0, as: Int.self) } ?? 0
        categories["ok", default: 0] += right
        try transaction.execute(
            """
            UPDATE run_shops SET state = 'done', wait_until = NULL, problem = NULL, categories = $3, done_at = $4
            WHERE run = $1 AND shop = $2
            """, key + [.text(try JSONText.encode(categories)), .timestamp(now)])
    }
}

extension Verdicts {
    /// A difference with what is stated about it now.
    struct Row {
        let listing: String
        let shelf: String
        let sharesSKU: Bool
        let first: SiteReading?
        let second: SecondReading
        let sku: String?
        let title: String
        let readFrom: Date?
        let readTo: Date?
        let finding: (category: ReconciliationCategory, firstSeen: Date)?
        let stated: StatedListing?
        let statedSKU: String?
        let statedTitle: String?
        let erpCode: String?
        let breakdown: String
        let candidates: String
        let lastPushedAt: Date?
        let answer: String?
        let takenAt: Date?
    }

    /// A difference with its verdict.
    struct Judged {
        let row: Row
        var category: ReconciliationCategory
        var observed: Quantity?
        var firstSeen: Date
        var ageDays: Int
        var action: String
        var repair: JSONValue?

        /// The same, with the wish that stock-publisher pushes it again.
        func withRepair() -> Judged {
            guard category.isSafelyRepaired, let observed, observed.isWhole, let from = row.readFrom,
                let to = row.readTo
            else { return self }
            var judged = self
            judged.repair = .object([
                "shelf": .string(row.shelf), "observed": .integer(Int64(observed.flooredUnits)),
                "read_from": .string(UTCTimestamp.format(from)), "read_to": .string(UTCTimestamp.format(to)),
            ])
            judged.action = "None: it is being pushed again."
            return judged
        }
    }

    /// What is the same for all differences of a shop.
    struct Context {
        let settings: ReconcilerSettings
        let now: Date
        let staleUpTo: Date?
        let moved: (listings: Set<String>, skus: Set<String>)
        let ordersUpTo: Date?

        init(_ shop: RunShop, settings: ReconcilerSettings, at now: Date, in transaction: Transaction) throws {
            self.settings = settings
            self.now = now
            let origins = try shop.statements.compactMap { try StatementStore.origin(of: $0, in: transaction) }
            staleUpTo = Freshness.staleUpTo(origins.first?.sources ?? [], settings: settings, now: now)
            let since = (origins.last?.takenAt ?? now).addingTimeInterval(-Verdicts.learningSeconds)
            moved = try OrderStore.moved(in: shop.shop, since: since, in: transaction)
            let collects = settings.shop(shop.shop)?.collectsOrders ?? false
            ordersUpTo = collects ? try OrderStore.completeUpTo(shop.shop, in: transaction) : nil
        }

        func judge(_ row: Row) throws -> Judged {
            var facts =
                row.stated?.facts(first: row.first, sharesSKU: row.sharesSKU, isStale: isStale(row))
                ?? ReconciliationFacts(mapping: .unknown, sharesSKU: row.sharesSKU, wanted: nil, first: row.first)
            facts.second = row.second
            let sku = row.statedSKU ?? row.sku
            facts.hasNewerOrder =
                moved.listings.contains(row.listing) || moved.listings.contains(row.shelf)
                || sku.map(moved.skus.contains) ?? false
            facts.ordersAreComplete = ordersUpTo.map { up in row.readTo.map { $0 <= up } ?? true } ?? true
            let category = facts.category
            let firstSeen = firstSeen(category, row.finding)
            return Judged(
                row: row, category: category, observed: facts.latest?.quantity, firstSeen: firstSeen,
                ageDays: settings.days(from: firstSeen, to: now), action: action(category, row))
        }

        /// A number that is wrong stays the same difference whatever its cause is called; the others begin anew when
        /// they change.
        private func firstSeen(
            _ category: ReconciliationCategory, _ finding: (category: ReconciliationCategory, firstSeen: Date)?
        ) -> Date {
            guard let finding else { return now }
            let isSame =
                finding.category == category || (finding.category.dependsOnReading && category.dependsOnReading)
            return isSame ? finding.firstSeen : now
        }

        private func isStale(_ row: Row) -> Bool {
            guard let staleUpTo, let asOf = row.stated?.asOf else { return false }
            return asOf <= staleUpTo
        }

        private func action(_ category: ReconciliationCategory, _ row: Row) -> String {
            if category == .ambiguousAlias, !row.candidates.isEmpty {
                return "\(category.suggestedAction) Possible are \(row.candidates)."
            }
            if category == .unmapped, row.stated == nil {
                return "It is new in the shop: read the catalogue again with 'stockbridge run catalogue'."
            }
            return category.suggestedAction
        }
    }

    fileprivate static func next(_ shop: RunShop, after: String, in transaction: Transaction) throws -> [Row] {
        let rows = try transaction.query(
            """
            SELECT d.listing, d.shelf, d.shares_sku, d.first_found, d.first_quantity, d.first_tracked,
                d.first_published, d.second_look, d.second_quantity, d.second_tracked, d.sku, d.title, d.read_from,
                d.read_to, f.first_seen, s.sku, s.title, s.erp_code, s.breakdown, s.candidates, s.last_pushed_at,
                s.answer, s.taken_at, s.statement,
                s.shelf, s.mapping, s.wanted, s.units_per_pack, s.is_missing_in_file, s.confirmed, s.expected_at_shop,
                s.is_pending, s.outcome, s.as_of, f.category
            FROM differences d
            LEFT JOIN LATERAL (
                SELECT l.*, t.taken_at FROM statement_listings l JOIN statements t ON t.number = l.statement
                WHERE l.statement = ANY ($3) AND l.listing = d.listing ORDER BY l.statement DESC LIMIT 1
            ) s ON true
            LEFT JOIN findings f ON f.shop = d.shop AND f.listing = d.listing
            WHERE d.run = $1 AND d.shop = $2 AND d.listing > $4 ORDER BY d.listing LIMIT \(atOnce)
            """,
            [.uuid(shop.run), .text(shop.shop.rawValue), .integerArray(shop.statements), .text(after)])
        return try rows.map(decode)
    }

    private static func decode(_ row: PostgreSQL.Row) throws -> Row {
        let found = try row.decode(at: 3, as: Bool.self)
        let first =
            found
            ? SiteReading(
                quantity: try row.decode(at: 4, as: Int64?.self).map { Quantity(micro: $0) },
                isTracked: try row.decode(at: 5, as: Bool?.self) ?? false,
                isPublished: try row.decode(at: 6, as: Bool?.self) ?? false) : nil
        let second: SecondReading =
            switch try row.decode(at: 7, as: String.self) {
            case "gone": .gone
            case "read":
                .read(
                    SiteReading(
                        quantity: try row.decode(at: 8, as: Int64?.self).map { Quantity(micro: $0) },
                        isTracked: try row.decode(at: 9, as: Bool?.self) ?? false,
                        isPublished: first?.isPublished ?? true))
            default: .none
            }
        let known = try row.decode(at: 34, as: String?.self).flatMap(ReconciliationCategory.init(rawValue:))
        let seen = try row.decode(at: 14, as: Date?.self)
        let isStated = try row.decode(at: 23, as: Int64?.self) != nil
        return Row(
            listing: try row.decode(at: 0), shelf: try row.decode(at: 1), sharesSKU: try row.decode(at: 2),
            first: first, second: second, sku: try row.decode(at: 10), title: try row.decode(at: 11),
            readFrom: try row.decode(at: 12), readTo: try row.decode(at: 13),
            finding: known.flatMap { category in seen.map { (category, $0) } },
            stated: isStated ? try StatedListing(row, from: 24) : nil, statedSKU: try row.decode(at: 15),
            statedTitle: try row.decode(at: 16), erpCode: try row.decode(at: 17),
            breakdown: try row.decode(at: 18, as: String?.self) ?? "",
            candidates: try row.decode(at: 19, as: String?.self) ?? "", lastPushedAt: try row.decode(at: 20),
            answer: try row.decode(at: 21), takenAt: try row.decode(at: 22))
    }

    fileprivate static func save(
        _ judged: [Judged], of shop: RunShop, at now: Date, in transaction: Transaction
    ) throws {
        let key: [PostgresValue] = [.uuid(shop.run), .text(shop.shop.rawValue)]
        try transaction.execute(
            """
            UPDATE differences d SET category = v.category, observed = v.observed, age_days = v.age, action = v.action,
                sku = v.sku, title = v.title, erp_code = v.code, expected = v.expected, breakdown = v.breakdown,
                stated_at = v.stated, last_pushed_at = v.pushed, answer = v.answer
            FROM unnest($3::text[], $4::text[], $5::bigint[], $6::int[], $7::text[], $8::text[], $9::text[],
                    $10::text[], $11::int[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::text[])
                AS v (listing, category, observed, age, action, sku, title, code, expected, breakdown, stated, pushed,
                      answer)
            WHERE d.run = $1 AND d.shop = $2 AND d.listing = v.listing
            """,
            key + [
                .textArray(judged.map(\.row.listing)), .textArray(judged.map(\.category.rawValue)),
                .nullableIntegerArray(judged.map { $0.observed?.micro }), .intArray(judged.map(\.ageDays)),
                .textArray(judged.map(\.action)), .nullableTextArray(judged.map { $0.row.statedSKU ?? $0.row.sku }),
                .textArray(judged.map { $0.row.statedTitle ?? $0.row.title }),
                .nullableTextArray(judged.map(\.row.erpCode)),
                .nullableIntegerArray(judged.map { $0.row.stated?.wanted.map(Int64.init) }),
                .textArray(judged.map(\.row.breakdown)), .nullableTimestampArray(judged.map(\.row.takenAt)),
                .nullableTimestampArray(judged.map(\.row.lastPushedAt)), .nullableTextArray(judged.map(\.row.answer)),
            ])
        let lasting = judged.filter { $0.category.isDifference }
        try transaction.execute(
            """
            INSERT INTO findings (shop, listing, category, first_seen, last_seen)
            SELECT $1, v.listing, v.category, v.first_seen, $5
            FROM unnest($2::text[], $3::text[], $4::timestamptz[]) v (listing, category, first_seen)
            ON CONFLICT (shop, listing) DO UPDATE SET
                category = excluded.category, first_seen = excluded.first_seen, last_seen = excluded.last_seen
            """,
            [
                .text(shop.shop.rawValue), .textArray(lasting.map(\.row.listing)),
                .textArray(lasting.map(\.category.rawValue)), .timestampArray(lasting.map(\.firstSeen)),
                .timestamp(now),
            ])
        // What is in flight neither begins nor ends a difference.
        try transaction.execute(
            "UPDATE findings SET last_seen = $3 WHERE shop = $1 AND listing = ANY ($2)",
            [
                .text(shop.shop.rawValue),
                .textArray(judged.filter { $0.category == .inFlight }.map(\.row.listing)), .timestamp(now),
            ])
    }
}
