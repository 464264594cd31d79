import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Why levels are worked out anew; kept with every version for `explain`.
struct LevelCause: Sendable {
    /// `stock`, `mapping`, `hold`, `settings`, `run`.
    var kind: String
    /// The snapshot, the hold, the run.
    var id: String
    /// When it happened; an increase waits until order feeds are fresher than this.
    var at: Date
    /// Ask for a push even where the shop refused this very version.
    var retryRejected = false
}

/// Works out wanted levels from stock, holds and settings, raises versions where they changed, and asks for pushes.
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

    /// Works out rows that are locked already, or new.
    @discardableResult
    func recompute(_ rows: [ShelfRow], because cause: LevelCause, in work: UnitOfWork) throws -> Int {
        let codes = Array(Set(rows.compactMap(\.code)))
        let stock = try StockStore.stock(of: codes, in: work.transaction)
        let holds = try HoldStore.open(for: codes, in: work.transaction)
        var changed: [ShelfRow] = []
        var due: [ShelfRow] = []
        var versions: [VersionRow] = []
        for var row in rows {
            guard let shop = settings.shops[row.shop] else { continue }
            let breakdown = row.code.flatMap { code in
                stock[code].map { inputs($0, holds[code] ?? .zero, shop, row.unitsPerPack).breakdown() }
            }
            if row.state.want(breakdown?.wanted, cause: cause.at) {
                changed.append(row)
                versions.append(
                    VersionRow(row: row, breakdown: breakdown, cause: cause, at: work.startedAt))
            }
            if row.state.isDue { due.append(row) }
        }
        try ShelfStore.save(changed, in: work.transaction)
        try VersionRow.insert(versions, in: work.transaction)
        try request(due, retryRejected: cause.retryRejected, correlation: cause.id, in: work)
        return changed.count
    }

    /// Asks for pushes of these shelves, unless their shop is in shadow.
    func request(_ due: [ShelfRow], retryRejected: Bool, correlation: String, in work: UnitOfWork) throws {
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
                    queue: ServiceCatalogue.pushQueue(of: shop))
            }
            try work.transaction.execute(
                "UPDATE shelves SET requested_at = clock_timestamp() WHERE shop = $1 AND shelf = ANY($2)",
                [.text(shop.rawValue), .textArray(sorted.map(\.shelf.rawValue))])
        }
    }

    private func inputs(
        _ stock: [WarehouseStock], _ holds: Quantity, _ shop: PublisherSettings.Shop, _ unitsPerPack: Int
    ) -> LevelInputs {
        let own = stock.filter { shop.warehouses.contains($0.warehouse) }.map { row in
            WarehouseStock(
                warehouse: row.warehouse, onHand: row.onHand, reserved: row.reserved,
                safety: settings.safety[row.warehouse] ?? .zero)
        }
        return LevelInputs(warehouses: own, holds: holds, policy: shop.level, unitsPerPack: unitsPerPack)
    }
}

/// One line of the ledger of wanted levels.
struct VersionRow: Sendable {
    let row: ShelfRow
    let breakdown: LevelBreakdown?
    let cause: LevelCause
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
            SELECT shop, shelf, version, wanted, breakdown, $6, $7, $8
            FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]::int[], $5::text[])
                AS v (shop, shelf, version, wanted, breakdown)
            """,
            [
                .textArray(versions.map(\.row.shop.rawValue)), .textArray(versions.map(\.row.shelf.rawValue)),
                .integerArray(versions.map(\.row.state.version)),
                .nullableTextArray(versions.map { $0.row.state.wanted.map(String.init) }), .textArray(breakdowns),
                .text(versions[0].cause.kind), .text(versions[0].cause.id), .timestamp(versions[0].at),
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
