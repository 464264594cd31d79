import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Why levels are worked out anew; kept with every version for `explain`.
struct LevelCause: Sendable {
    /// One occurrence: what it is called and when it happened.
    struct Moment: Sendable {
        var id: String
        var at: Date
    }

    /// `stock`, `mapping`, `hold`, `settings`, `run`, `order`, `reserve`, `feed`.
    var kind: String
    /// The snapshot, the hold, the run.
    var id: String
    /// When it happened; an increase waits until order feeds are fresher than this.
    var at: Date
    /// Where several occurrences are taken in at once: which one it is for these codes.
    var byCode: [ERPCode: Moment] = [:]
    /// Ask for a push even where the shop refused this very version.
    var retryRejected = false
    /// Each shelf keeps the cause that it has: only its reserve changes.
    var keepsCause = false

    /// Requests do not wait behind a whole run: somebody bought it, and the other shops have to hear of it.
    var isUrgent: Bool { kind == "order" }

    func moment(of row: ShelfRow) -> Moment {
        var moment = row.code.flatMap { byCode[$0] } ?? Moment(id: id, at: at)
        if keepsCause, let cause = row.state.cause { moment.at = cause }
        return moment
    }
}

/// Works out wanted levels from stock, open orders, holds and settings, raises versions where they changed, and asks
/// for pushes.
struct LevelWriter: Sendable {
    /// At most so many shelves are named in one request; the platforms take 100 a call.
    static let shelvesPerRequest = 100

    let settings: PublisherSettings

    /// Works out the shelves of a selection under their locks.
    @discardableResult
    func recompute(_ selection: ShelfSelection, because cause: LevelCause, in work: UnitOfWork) throws -> Int {
        let rows = try ShelfStore.lock(selection, in: work.transaction)
        return try recompute(rows, because: cause, in: work)
    }

    /// Works out rows that are locked already, or new, and asks for pushes of those that are due.
    ///
    /// - Parameter touched: Rows that have changed otherwise and are stored in any case.
    @discardableResult
    func recompute(
        _ rows: [ShelfRow], because cause: LevelCause, touched: Set<ShelfKey> = [], in work: UnitOfWork
    ) throws -> Int {
        let result = try workOut(rows, because: cause, touched: touched, in: work)
        try request(
            result.rows.filter(\.state.isDue), retryRejected: cause.retryRejected, correlation: cause.id,
            isUrgent: cause.isUrgent, in: work)
        return result.changed
    }

    /// Works out rows and stores them, without asking for pushes.
    ///
    /// - Parameter reserved: Shops whose reserve is taken out although their feeds are not stale yet.
    /// - Returns: The rows as they are now, and how many of them want another level.
    func workOut(
        _ rows: [ShelfRow], because cause: LevelCause, touched: Set<ShelfKey> = [], reserved: [ShopName] = [],
        in work: UnitOfWork
    ) throws -> (rows: [ShelfRow], changed: Int) {
        guard !rows.isEmpty else { return ([], 0) }
        let inputs = try inputs(of: rows, reserved: reserved, at: work.startedAt, in: work.transaction)
        var result = rows
        var stored: [ShelfRow] = []
        var versions: [VersionRow] = []
        for index in result.indices {
            guard settings.shops[result[index].shop] != nil else { continue }
            let key = result[index].key
            let before = result[index].state.reservedFor
            let breakdown = inputs[key]?.level.breakdown()
            let moment = cause.moment(of: result[index])
            let isChanged = result[index].state.want(
                breakdown?.wanted, cause: moment.at, reservedFor: inputs[key]?.reservedFor ?? [])
            if isChanged {
                versions.append(
                    VersionRow(
                        row: result[index], breakdown: breakdown, kind: cause.kind, causeID: moment.id,
                        at: work.startedAt))
            }
            if isChanged || touched.contains(key) || before != result[index].state.reservedFor {
                stored.append(result[index])
            }
        }
        try ShelfStore.save(stored, in: work.transaction)
        try VersionRow.insert(versions, in: work.transaction)
        return (result, versions.count)
    }

    /// Asks for pushes of these shelves, unless their shop is in shadow.
    func request(
        _ due: [ShelfRow], retryRejected: Bool, correlation: String, isUrgent: Bool = false, in work: UnitOfWork
    ) throws {
        guard !due.isEmpty else { return }
        let open = try ShopStore.writableShops(in: work.transaction)
        for (shop, rows) in Dictionary(grouping: due, by: \.shop).sorted(by: { $0.key < $1.key }) {
            guard open.contains(shop), settings.shops[shop] != nil else { continue }
            let sorted = rows.sorted { $0.shelf < $1.shelf }
            for start in stride(from: 0, to: sorted.count, by: Self.shelvesPerRequest) {
                let part = sorted[start..<min(start + Self.shelvesPerRequest, sorted.count)]
                let payload = PushWork(
                    shop: shop, shelves: part.map { .init(id: $0.shelf, version: $0.state.version) },
                    retryRejected: retryRejected)
                try work.enqueue(
                    Event(payload, subject: shop.rawValue, correlation: correlation, occurredAt: work.startedAt),
                    queue: isUrgent ? ServiceCatalogue.urgentQueue(of: shop) : ServiceCatalogue.pushQueue(of: shop))
            }
            try work.transaction.execute(
                "UPDATE shelves SET requested_at = $3, ask_at = NULL WHERE shop = $1 AND shelf = ANY($2)",
                [
                    .text(shop.rawValue), .textArray(sorted.map(\.shelf.rawValue)), .timestamp(work.startedAt),
                ])
        }
    }
}

/// One line of the ledger of wanted levels.
struct VersionRow: Sendable {
    let row: ShelfRow
    let breakdown: LevelBreakdown?
    let kind: String
    let causeID: String
    let at: Date

    static func insert(_ versions: [VersionRow], in transaction: Transaction) throws {
        guard !versions.isEmpty else { return }
        let encoder = ContractCoding.encoder()
        let breakdowns = try versions.map { version in
            try version.breakdown.map { String(decoding: try encoder.encode($0), as: UTF8.self) } ?? "null"
        }
        try transaction.execute(
            """
            INSERT INTO shelf_versions (shop, shelf, version, wanted, breakdown, cause_kind, cause_id, decided_at)
            SELECT shop, shelf, version, wanted, breakdown, $6, cause_id, $8
            FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]::int[], $5::text[], $7::text[])
                AS v (shop, shelf, version, wanted, breakdown, cause_id)
            """,
            [
                .textArray(versions.map(\.row.shop.rawValue)), .textArray(versions.map(\.row.shelf.rawValue)),
                .integerArray(versions.map(\.row.state.version)),
                .nullableTextArray(versions.map { $0.row.state.wanted.map(String.init) }), .textArray(breakdowns),
                .text(versions[0].kind), .textArray(versions.map(\.causeID)), .timestamp(versions[0].at),
            ])
    }
}

extension LevelWriter {
    /// Asks for a push of every shelf of a shop that is due, or that the shop refused.
    func requestAllDue(
        of shop: ShopName, retryRejected: Bool, correlation: String, in work: UnitOfWork
    ) throws {
        let rows = try work.transaction.query(
            """
            SELECT shelf FROM shelves
            WHERE shop = $1 AND (due OR ($2 AND rejected_version = version)) ORDER BY shelf
            """, [.text(shop.rawValue), .boolean(retryRejected)])
        let ids = try rows.map { ListingID(rawValue: try $0.decode(at: 0)) }
        guard !ids.isEmpty else { return }
        let shelves = try ShelfStore.lock(.shelves(shop, ids), in: work.transaction)
        try request(shelves, retryRejected: retryRejected, correlation: correlation, in: work)
    }
}
