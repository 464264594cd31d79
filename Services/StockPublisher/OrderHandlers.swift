import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Takes in what became of orders: their lines change what is open, and what their own shop has left.
struct OrderHandler: BatchHandler {
    let settings: PublisherSettings
    let levels: LevelWriter

    func apply(_ events: [Event<OrderChanged>], in work: UnitOfWork) throws {
        var newest: [OrderReference: OrderChanged] = [:]
        for event in events where settings.shops[event.payload.order.shop] != nil {
            let order = event.payload
            if let held = newest[order.order.reference], held.version >= order.version { continue }
            newest[order.order.reference] = order
        }
        let known = try OrderStore.lock(newest.keys.sorted(), in: work.transaction)
        let winners = newest.values.filter { $0.version > known[$0.order.reference]?.version ?? OrderStore.none }
            .sorted { $0.order.reference < $1.order.reference }
        guard !winners.isEmpty else { return }
        let change = try change(winners, known, in: work)
        try OrderStore.save(winners, in: work.transaction)
        try OpenLineStore.save(change.lines, in: work.transaction)
        try carryOut(change, in: work)
    }

    /// What a batch of orders changes.
    private struct Change {
        var lines: [OpenLineStore.Row] = []
        var codes: [ERPCode: LevelCause.Moment] = [:]
        var sales: [ShelfKey: [(sale: OwnSale, happened: Happening)]] = [:]
    }

    /// When it happened, as the shop says and as we can tell.
    private struct Happening {
        /// By the shop's clock; what we did not hear of one by one happened between these two.
        var from: Date
        var to: Date
        /// By our clock.
        var learntAt: Date
        /// The order or some of its revisions were not heard of before this one: our write may lie between them.
        var hasGap: Bool

        /// - Parameter known: What was known of the order before.
        init(_ change: OrderChanged, known: OrderVersion?) {
            let order = change.order
            hasGap = known.map { change.version.revision > $0.revision + 1 } ?? true
            // A shop that no longer has an order does not say since when.
            let isDeleted = order.status.shopStatus == "deleted"
            to = isDeleted ? max(order.updatedAt, change.learntAt) : order.updatedAt
            from = hasGap ? order.placedAt : order.updatedAt
            learntAt = change.learntAt
            to = max(from, to)
        }
    }

    private func change(
        _ orders: [OrderChanged], _ known: [OrderReference: OrderStore.Known], in work: UnitOfWork
    ) throws -> Change {
        var change = Change()
        let before = try OpenLineStore.lines(of: orders.map(\.order.reference), in: work.transaction)
        let byOrder = Dictionary(grouping: before, by: \.order)
        let shelves = try OrderStore.shelves(of: orders, in: work.transaction)
        for order in orders {
            let reference = order.order.reference
            let old = Dictionary(uniqueKeysWithValues: (byOrder[reference] ?? []).map { ($0.line, $0) })
            let wasKnown = known[reference].flatMap { $0.version == OrderStore.none ? nil : $0 }
            let happened = Happening(order, known: wasKnown?.version)
            let at = cause(of: order, isNew: wasKnown == nil)
            var rows = lines(of: order, old, shelves, at: work.startedAt)
            let named = Set(rows.map(\.line))
            rows += old.values.filter { !named.contains($0.line) }.map { line in
                var gone = line
                (gone.quantity, gone.taken, gone.isOpen, gone.isReflected) = (.zero, 0, false, false)
                return gone
            }
            for row in rows where row != old[row.line] {
                change.lines.append(row)
                for code in [old[row.line]?.code, row.code].compactMap({ $0 }) {
                    let moment = LevelCause.Moment(id: reference.description, at: at)
                    change.codes[code] = change.codes[code].map { $0.at > at ? $0 : moment } ?? moment
                }
                note(row, old[row.line], order, awaited: wasKnown?.awaitsPayment, happened, &change)
            }
            // Paid now, with the lines as they were: whether the shop takes its stock only now differs. Where revisions
            // were not heard of, the lines may be as they were again.
            if let awaited = wasKnown?.awaitsPayment, awaited != order.order.status.awaitsPayment || happened.hasGap {
                for row in rows where row == old[row.line] {
                    note(row, row, order, awaited: awaited, happened, &change)
                }
            }
        }
        return change
    }

    /// By the shop's clock, but never later than we learnt of it: a clock that is ahead holds up no increase. Where the
    /// clock may be wrong, when we learnt of it.
    private func cause(of order: OrderChanged, isNew: Bool) -> Date {
        let at = isNew ? order.order.placedAt : order.order.updatedAt
        let tolerance = settings.shops[order.order.shop]?.push.clockToleranceSeconds ?? 0
        return SaleSpan(from: at, to: at, learntAt: order.learntAt, toleranceSeconds: tolerance).to
    }

    private func lines(
        of order: OrderChanged, _ old: [String: OpenLineStore.Row], _ shelves: [ShelfKey: ListingID], at now: Date
    ) -> [OpenLineStore.Row] {
        let mappings = Dictionary(order.lines.map { ($0.lineID, $0) }) { first, _ in first }
        let isCancelled = order.cancellation == .cancelled
        return order.order.lines.map { line in
            let mapping = mappings[line.id]
            let known = old[line.id]
            let quantity = mapping?.erpQuantity ?? .zero
            let open = OpenLine(quantity: quantity, reservedUntil: order.reservedUntil, isCancelled: isCancelled)
            let isReflected =
                known.map { $0.isReflected && $0.quantity == quantity && $0.code == mapping?.erpCode } ?? false
            let shelf = line.listing.flatMap { shelves[ShelfKey(shop: order.order.shop, shelf: $0)] } ?? known?.shelf
            return OpenLineStore.Row(
                order: order.order.reference, line: line.id, code: mapping?.erpCode, quantity: quantity,
                listing: line.listing, shelf: shelf, taken: isCancelled ? 0 : line.quantity.flooredUnits,
                reservedUntil: order.reservedUntil,
                isOpen: mapping?.erpCode != nil && open.counts(upTo: nil, at: now) && !isReflected,
                isReflected: isReflected)
        }
    }

    private func note(
        _ row: OpenLineStore.Row, _ old: OpenLineStore.Row?, _ order: OrderChanged, awaited: Bool?,
        _ happened: Happening, _ change: inout Change
    ) {
        guard let shelf = row.shelf else { return }
        var sale = OwnSale(
            known: old?.taken ?? 0, quantity: row.taken, awaitsPayment: order.order.status.awaitsPayment,
            awaitedPayment: awaited)
        // Taken and put back before we heard of either: nothing is left of it, but our write may lie in between, also
        // where both bear the same second.
        if sale == .none, happened.hasGap { sale = .units(0) }
        guard sale != .none else { return }
        change.sales[ShelfKey(shop: order.order.shop, shelf: shelf), default: []].append((sale, happened))
    }

    /// Notes the shops' own sales on their shelves and works out every shelf that shows one of the codes.
    private func carryOut(_ change: Change, in work: UnitOfWork) throws {
        var rows = try ShelfStore.lock(
            .codesAndShelves(change.codes.keys.sorted(), Array(change.sales.keys)), in: work.transaction)
        for index in rows.indices {
            guard let sales = change.sales[rows[index].key], let shop = settings.shops[rows[index].shop] else {
                continue
            }
            for entry in sales {
                switch entry.sale {
                case .none: break
                case .units(let units):
                    let happened = entry.happened
                    rows[index].state.noteOwnSale(
                        units: units, placedAt: happened.from, changedAt: happened.to, learntAt: happened.learntAt,
                        now: work.startedAt, policy: shop.push)
                case .unknown: rows[index].state.noteUncertainSale()
                }
            }
        }
        guard let last = change.codes.values.max(by: { $0.at < $1.at }) else {
            // No level changes; what was noted stays, and what has become unknown is read.
            try ShelfStore.save(rows.filter { change.sales[$0.key] != nil }, in: work.transaction)
            let due = rows.filter { change.sales[$0.key] != nil && $0.state.isDue }
            return try levels.request(due, retryRejected: false, correlation: "order", isUrgent: true, in: work)
        }
        let cause = LevelCause(kind: "order", id: last.id, at: last.at, byCode: change.codes)
        try levels.recompute(rows, because: cause, touched: Set(change.sales.keys), in: work)
    }
}

/// Which version of each order is known.
enum OrderStore {
    /// What is known of an order.
    struct Known: Sendable {
        var version: OrderVersion
        var awaitsPayment: Bool
    }

    /// Older than any version: of an order that is new.
    static let none = OrderVersion(revision: 0, stateVersion: 0)

    /// Locks the rows of these orders; new ones are made.
    static func lock(
        _ orders: [OrderReference], in transaction: Transaction
    ) throws -> [OrderReference: Known] {
        let keys: [PostgresValue] = [.textArray(orders.map(\.shop.rawValue)), .textArray(orders.map(\.externalID))]
        try transaction.execute(
            """
            INSERT INTO orders (shop, external_id, revision, state_version, placed_at, awaits_payment)
            SELECT shop, external_id, 0, 0, '-infinity', false
            FROM unnest($1::text[], $2::text[]) AS o (shop, external_id) ORDER BY shop, external_id
            ON CONFLICT DO NOTHING
            """, keys)
        let rows = try transaction.query(
            """
            SELECT shop, external_id, revision, state_version, awaits_payment FROM orders
            WHERE (shop, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
            ORDER BY shop, external_id FOR UPDATE
            """, keys)
        var result: [OrderReference: Known] = [:]
        for row in rows {
            let reference = OrderReference(
                shop: ShopName(rawValue: try row.decode(at: 0)), externalID: try row.decode(at: 1))
            result[reference] = Known(
                version: OrderVersion(revision: try row.decode(at: 2), stateVersion: try row.decode(at: 3)),
                awaitsPayment: try row.decode(at: 4))
        }
        return result
    }

    static func save(_ orders: [OrderChanged], in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE orders o SET revision = n.revision, state_version = n.state_version, placed_at = n.placed_at,
                cancellation = n.cancellation, awaits_payment = n.awaits
            FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[],
                        $7::boolean[])
                AS n (shop, external_id, revision, state_version, placed_at, cancellation, awaits)
            WHERE o.shop = n.shop AND o.external_id = n.external_id
            """,
            [
                .textArray(orders.map(\.order.shop.rawValue)), .textArray(orders.map(\.order.externalID)),
                .intArray(orders.map(\.version.revision)), .intArray(orders.map(\.version.stateVersion)),
                .timestampArray(orders.map(\.order.placedAt)),
                .nullableTextArray(orders.map { $0.cancellation?.rawValue }),
                .booleanArray(orders.map(\.order.status.awaitsPayment)),
            ])
    }

    /// Where the shops keep the stock of the listings that these orders name.
    static func shelves(
        of orders: [OrderChanged], in transaction: Transaction
    ) throws -> [ShelfKey: ListingID] {
        let keys = Set(
            orders.flatMap { order in
                order.order.lines.compactMap { $0.listing.map { ShelfKey(shop: order.order.shop, shelf: $0) } }
            })
        guard !keys.isEmpty else { return [:] }
        let rows = try transaction.query(
            """
            SELECT l.shop, l.listing, l.shelf FROM unnest($1::text[], $2::text[]) AS k (shop, listing)
            JOIN listings l ON l.shop = k.shop AND l.listing = k.listing
            """, [.textArray(keys.map(\.shop.rawValue)), .textArray(keys.map(\.shelf.rawValue))])
        var result: [ShelfKey: ListingID] = [:]
        for row in rows {
            let key = ShelfKey(
                shop: ShopName(rawValue: try row.decode(at: 0)), shelf: ListingID(rawValue: try row.decode(at: 1)))
            result[key] = ListingID(rawValue: try row.decode(at: 2))
        }
        return result
    }
}

/// Takes in that a batch was sent to the ERP. Changes no level by itself: the next snapshot decides what is reflected.
struct OrderReportedHandler: BatchHandler {
    let settings: PublisherSettings
    let levels: LevelWriter

    func apply(_ events: [Event<OrderReported>], in work: UnitOfWork) throws {
        for event in events {
            let batch = event.payload
            let lines = batch.orders.flatMap { order in
                order.quantities.sorted { $0.key < $1.key }.map { (order.externalID, $0.key, $0.value) }
            }
            let codes = try OpenLineStore.report(
                lines.map { (order: $0.0, line: $0.1, quantity: $0.2) }, of: batch.shop, sentAt: batch.sentAt,
                in: work.transaction)
            // Only a report that we hear of late can be contained in a snapshot that is here already.
            let contained = try work.transaction.query(
                "SELECT 1 FROM sources WHERE as_of >= $1 LIMIT 1",
                [.timestamp(batch.sentAt.addingTimeInterval(settings.reflection.shortestLagSeconds))])
            guard !contained.isEmpty else { continue }
            let cause = LevelCause(kind: "order", id: batch.batchID, at: batch.sentAt)
            try levels.recomputeLater(codes.sorted(), because: cause, in: work)
        }
    }
}

/// Takes in how far a shop's orders are known, and lets increases go that waited for it.
struct OrdersCollectedHandler: BatchHandler {
    let settings: PublisherSettings
    let levels: LevelWriter

    func apply(_ events: [Event<OrdersCollected>], in work: UnitOfWork) throws {
        var newest: [ShopName: OrdersCollected] = [:]
        for event in events where settings.shops[event.payload.shop] != nil {
            let pass = event.payload
            if let held = newest[pass.shop], held.completeUpTo >= pass.completeUpTo { continue }
            newest[pass.shop] = pass
        }
        for (shop, pass) in newest.sorted(by: { $0.key < $1.key }) {
            let wasStale = try FeedStore.advance(shop, to: pass.completeUpTo, in: work.transaction)
            if wasStale, settings.shops[shop].map({ $0.staleReserve > .zero }) ?? false {
                let cause = LevelCause(kind: "feed", id: "\(shop) is fresh", at: work.startedAt)
                try levels.recomputePool(of: shop, because: cause, in: work)
            }
        }
        for shop in newest.keys.sorted() { try levels.requestWaiting(inPoolOf: shop, in: work) }
    }
}
