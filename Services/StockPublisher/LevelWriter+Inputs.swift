import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

extension LevelWriter {
    /// What decides one shelf's level.
    struct Inputs: Sendable {
        var level: LevelInputs
        var reservedFor: [ShopName]
    }

    /// Loads what decides the levels of these shelves; one whose code nobody has stated is left out.
    func inputs(
        of rows: [ShelfRow], reserved: [ShopName], at now: Date, in transaction: Transaction
    ) throws -> [ShelfKey: Inputs] {
        let codes = Array(Set(rows.compactMap(\.code)))
        let stock = try StockStore.stock(of: codes, in: transaction)
        let holds = try HoldStore.open(for: codes, in: transaction)
        let stale = try FeedStore.feeds(in: transaction).filter(\.value.isStale).map(\.key) + reserved
        var own: [ShelfKey: (stock: [StockStore.Entry], scope: OpenLineStore.Scope)] = [:]
        for row in rows {
            guard let code = row.code, let stated = stock[code], let shop = settings.shops[row.shop] else { continue }
            let entries = stated.filter { shop.warehouses.contains($0.stock.warehouse) }
            let scope = OpenLineStore.Scope(
                code: code, cutoff: settings.reflection.cutoff(of: entries.map(\.statement)), pool: shop.pool)
            own[row.key] = (entries, scope)
        }
        let open = try OpenLineStore.open(Set(own.values.map(\.scope)), at: now, in: transaction)
        var result: [ShelfKey: Inputs] = [:]
        for row in rows {
            guard let code = row.code, let shop = settings.shops[row.shop], let (entries, scope) = own[row.key] else {
                continue
            }
            let reservedFor = Set(stale).filter { shop.pool.contains($0) }.sorted()
            let reserve = reservedFor.reduce(Quantity.zero) { $0 + (settings.shops[$1]?.staleReserve ?? .zero) }
            let warehouses = entries.map { entry in
                WarehouseStock(
                    warehouse: entry.stock.warehouse, onHand: entry.stock.onHand, reserved: entry.stock.reserved,
                    safety: settings.safety[entry.stock.warehouse] ?? .zero)
            }
            result[row.key] = Inputs(
                level: LevelInputs(
                    warehouses: warehouses, open: open[scope] ?? .zero, holds: holds[code] ?? .zero,
                    staleReserve: reserve, policy: shop.level, unitsPerPack: row.unitsPerPack),
                reservedFor: reservedFor)
        }
        return result
    }

    /// What surrounds the shelves of a shop: the feeds of its pool, and whether it may be written to.
    func surroundings(of shop: PublisherSettings.Shop, in transaction: Transaction) throws -> PushSurroundings {
        let feeds = try FeedStore.feeds(in: transaction)
        let isShadow = try !ShopStore.writableShops(in: transaction).contains(shop.name)
        return PushSurroundings(
            feeds: shop.pool.filter { settings.shops[$0]?.collectsOrders ?? false }.map { name in
                OrderFeed(shop: name, completeUpTo: feeds[name]?.completeUpTo)
            }, closed: isShadow ? .shadow : nil)
    }

    /// Works out anew, some hundred at a time and in messages of their own, what many codes have in common.
    func recomputeLater(_ codes: [ERPCode], because cause: LevelCause, in work: UnitOfWork) throws {
        for start in stride(from: 0, to: codes.count, by: RecomputeWork.maximumCodes) {
            let part = codes[start..<min(start + RecomputeWork.maximumCodes, codes.count)]
            let payload = RecomputeWork(codes: Array(part), cause: cause.kind, causeID: cause.id, causedAt: cause.at)
            try work.enqueue(
                Event(payload, subject: cause.id, correlation: cause.id, occurredAt: work.startedAt),
                queue: "stock-publisher")
        }
    }

    /// A snapshot of which every chunk is applied restates what it did not name: lines that were reported before it
    /// are contained in the stock of those codes too.
    func restate(_ source: SourceName, in work: UnitOfWork) throws {
        guard let asOf = try StockStore.complete(source, in: work.transaction) else { return }
        let codes = try OpenLineStore.codes(
            reportedUpTo: asOf.addingTimeInterval(-settings.reflection.shortestLagSeconds), statedBy: source,
            in: work.transaction)
        let cause = LevelCause(kind: "stock", id: source.rawValue, at: asOf)
        // The first at once, so that the run whose snapshot this is does not end before them.
        let (first, rest) = (codes.prefix(RecomputeWork.maximumCodes), codes.dropFirst(RecomputeWork.maximumCodes))
        try recompute(.codes(Array(first)), because: cause, in: work)
        try recomputeLater(Array(rest), because: cause, in: work)
    }

    /// All shelves of the shops of a pool, later: the reserve of one of them is taken out, or given back.
    func recomputePool(of shop: ShopName, because cause: LevelCause, in work: UnitOfWork) throws {
        guard let pool = settings.shops[shop]?.pool else { return }
        var codes: [ERPCode] = []
        try work.transaction.forEachRow(
            "SELECT DISTINCT erp_code FROM shelves WHERE shop = ANY($1) AND erp_code IS NOT NULL",
            [.textArray(pool.map(\.rawValue))]
        ) { codes.append(ERPCode(rawValue: try $0.decode(at: 0))) }
        try recomputeLater(codes, because: cause, in: work)
    }

    /// Asks again for the increases of a pool that waited for feeds and may go out now. The condition is that of
    /// Domain's ``FeedGate``.
    func requestWaiting(inPoolOf shop: ShopName, in work: UnitOfWork) throws {
        for name in settings.shops[shop]?.pool ?? [] {
            guard let pool = settings.shops[name]?.pool else { continue }
            let collected = pool.filter { settings.shops[$0]?.collectsOrders ?? false }
            let rows = try work.transaction.query(
                """
                SELECT shelf FROM shelves s WHERE shop = $1 AND due AND deferral = 'feeds' AND NOT EXISTS (
                    SELECT 1 FROM feeds f WHERE f.shop = ANY($2) AND f.complete_up_to <= s.cause
                      AND NOT f.shop = ANY(s.reserved_for))
                ORDER BY shelf
                """, [.text(name.rawValue), .textArray(collected.map(\.rawValue))])
            let ids = try rows.map { ListingID(rawValue: try $0.decode(at: 0)) }
            guard !ids.isEmpty else { continue }
            let shelves = try ShelfStore.lock(.shelves(name, ids), in: work.transaction)
            try request(shelves, retryRejected: false, correlation: "feeds", in: work)
        }
    }
}

/// Works out the levels of codes that something has in common.
struct RecomputeHandler: BatchHandler {
    let levels: LevelWriter

    func apply(_ events: [Event<RecomputeWork>], in work: UnitOfWork) throws {
        for event in events {
            let wish = event.payload
            try levels.recompute(
                .codes(wish.codes), because: LevelCause(kind: wish.cause, id: wish.causeID, at: wish.causedAt),
                in: work)
        }
    }
}
