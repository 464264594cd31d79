import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ShopConnectors

/// One order as it was read, ready to be compared with the ledger.
struct ReadOrder: Sendable {
    /// What the shop said about it.
    enum Content: Sendable {
        case facts(Order, digest: String)
        case unreadable(UnreadableOrder)
        /// The shop no longer has it.
        case gone
    }

    let externalID: String
    let content: Content
    /// When the reading was begun, by our clock.
    let readAt: Date
    /// Whether it was fetched by its id.
    let isConfirmed: Bool

    init(_ result: OrderReadingResult, readAt: Date, isConfirmed: Bool) throws {
        externalID = result.externalID
        self.readAt = readAt
        self.isConfirmed = isConfirmed
        switch result {
        case .order(let order): content = .facts(order, digest: try OrderDigest.of(order))
        case .unreadable(let order): content = .unreadable(order)
        }
    }

    /// An order that the shop no longer has.
    init(gone externalID: String, readAt: Date) {
        (self.externalID, self.readAt, content, isConfirmed) = (externalID, readAt, .gone, true)
    }

    /// What it is compared by; nil where it has no facts.
    var revision: RevisionReading? {
        guard case .facts(let order, let digest) = content else { return nil }
        return RevisionReading(digest: digest, updatedAt: order.updatedAt, readAt: readAt, isConfirmed: isConfirmed)
    }
}

/// Puts readings into the ledger and says what came of it; all of it in the caller's transaction.
struct OrderLedger: Sendable {
    let shop: CollectorSettings.Shop

    /// What came of some readings.
    struct Stored: Sendable {
        /// Orders that are new or different.
        var changed = 0
        /// Orders that differ and have to be fetched by their id before that counts, or that somebody else added at
        /// the same moment: to be looked at again.
        var open: [String] = []
    }

    /// Stores what is new in some readings, one an order, and emits its events.
    func store(_ readings: [ReadOrder], via: ReadVia, in work: UnitOfWork) throws -> Stored {
        var stored = Stored()
        guard !readings.isEmpty else { return stored }
        let transaction = work.transaction
        try MappingStore.lockShared(shop.name, in: transaction)
        let rows = try OrderStore.lock(readings.map(\.externalID), of: shop.name, in: transaction)
        let around = try surroundings(of: readings, rows, in: work)
        var batch = LedgerBatch(shop: shop.name, via: via)
        var news = News()
        news.handedOut = try RestoredRevisions.handedOut(
            readings.map(\.externalID).filter { rows[$0] == nil }, of: shop.name, in: transaction)
        for reading in readings {
            let row = rows[reading.externalID]
            switch reading.content {
            case .unreadable(let order): try takeUnreadable(order, row, around, &batch, in: work)
            case .gone: if let row { takeGone(row, readAt: reading.readAt, around, &batch) }
            case .facts(let facts, let digest): take(facts, digest, reading, row, around, &batch, &news, work.startedAt)
            }
        }
        try forgetUnreadable(news.readable, in: work)
        try OrderStore.touch(news.touched, of: shop.name, in: transaction)
        stored.open = news.open + (try batch.write(in: work))
        stored.changed = batch.changed
        return stored
    }

    /// What some readings say besides changes of orders.
    private struct News {
        var readable: [String] = []
        var touched: [(id: String, updatedAt: Date)] = []
        var open: [String] = []
        /// The highest revisions of orders that we have forgotten.
        var handedOut: [String: Int] = [:]
    }

    private func take(
        _ facts: Order, _ digest: String, _ reading: ReadOrder, _ row: LedgerRow?, _ around: OrderSurroundings,
        _ batch: inout LedgerBatch, _ news: inout News, _ now: Date
    ) {
        guard let revision = reading.revision else { return }
        news.readable.append(reading.externalID)
        switch (RevisionDecision(revision, knowing: row?.record.known), row) {
        case (.first, _):
            var first = OrderRecord.first(facts, digest: digest, readAt: reading.readAt, around: around)
            first.record.version.revision += news.handedOut[reading.externalID] ?? 0
            batch.added.append((LedgerRow(record: first.record, learntAt: now), first.effects))
        case (.revise, var row?):
            let effects = row.record.revise(to: facts, digest: digest, readAt: reading.readAt, around: around)
            row.learntAt = now
            batch.revised.append((row, effects))
        case (.confirm, _):
            news.open.append(reading.externalID)
        case (.unchanged(let keepTime), var row?):
            if keepTime { news.touched.append((reading.externalID, facts.updatedAt)) }
            guard row.record.unreadable != nil else { return }
            row.record.unreadable = nil
            let effects = row.record.reassess(around: around, because: "It can be read again.")
            batch.reassessed.append((row, effects))
        case (.outdated, _), (.revise, nil), (.unchanged, nil): break
        }
    }

    private func takeGone(
        _ row: LedgerRow, readAt: Date, _ around: OrderSurroundings, _ batch: inout LedgerBatch
    ) {
        var row = row
        let digest = { (order: Order) in (try? OrderDigest.of(order)) ?? row.record.digest }
        let effects = row.record.vanish(digest: digest, readAt: readAt, around: around)
        row.learntAt = around.now
        if !effects.isEmpty { batch.revised.append((row, effects)) }
    }

    /// Assesses orders again; those that the ERP was told of keep the mapping that it was told.
    func reassess(_ ids: [String], because reason: String, in work: UnitOfWork) throws -> Int {
        try MappingStore.lockShared(shop.name, in: work.transaction)
        let rows = try OrderStore.lock(ids, of: shop.name, in: work.transaction)
        let around = try surroundings(of: rows.values.map(\.record.order), in: work)
        var batch = LedgerBatch(shop: shop.name, via: .pass)
        for id in rows.keys.sorted() {
            guard var row = rows[id], row.record.isOpen || !row.record.holds.isEmpty else { continue }
            let effects = row.record.reassess(around: around, because: reason)
            if !effects.isEmpty { batch.reassessed.append((row, effects)) }
        }
        _ = try batch.write(in: work)
        return batch.changed
    }

    /// What the rules need besides these orders; the shop's mapping is locked.
    func surroundings(of orders: [Order], in work: UnitOfWork) throws -> OrderSurroundings {
        let mapping = try MappingStore.mapping(
            of: orders.flatMap(\.lines), shop: shop.name, in: work.transaction)
        return OrderSurroundings(
            mapping: mapping, policy: shop.policy, now: work.startedAt,
            clockAheadSeconds: try FeedStore.clockAhead(of: shop.name, in: work.transaction))
    }

    private func surroundings(
        of readings: [ReadOrder], _ rows: [String: LedgerRow], in work: UnitOfWork
    ) throws -> OrderSurroundings {
        let read = readings.compactMap { reading -> Order? in
            if case .facts(let order, _) = reading.content { order } else { rows[reading.externalID]?.record.order }
        }
        return try surroundings(of: read, in: work)
    }

    // MARK: Unreadable orders

    private func takeUnreadable(
        _ order: UnreadableOrder, _ row: LedgerRow?, _ around: OrderSurroundings, _ batch: inout LedgerBatch,
        in work: UnitOfWork
    ) throws {
        let problem = String(order.problem.prefix(500))
        if var row {
            let effects = row.record.markUnreadable(problem, around: around)
            if !effects.isEmpty { batch.reassessed.append((row, effects)) }
            return
        }
        let isNew = try work.transaction.query(
            """
            INSERT INTO unreadable AS u (shop, external_id, updated_at, problem, first_seen_at, last_seen_at)
            VALUES ($1, $2, $3, $4, $5, $5)
            ON CONFLICT (shop, external_id) DO UPDATE
            SET updated_at = excluded.updated_at, problem = excluded.problem, last_seen_at = excluded.last_seen_at
            RETURNING first_seen_at = last_seen_at
            """,
            [
                .text(shop.name.rawValue), .text(order.externalID), .maybe(order.updatedAt) { .timestamp($0) },
                .text(problem), .timestamp(work.startedAt),
            ])
        guard try isNew.first?.decode(at: 0, as: Bool.self) == true else { return }
        batch.changed += 1
        try emitHeld(order.externalID, [OrderHold(.unreadable, problem)], in: work)
    }

    /// What was unreadable and never known can be read now.
    private func forgetUnreadable(_ ids: [String], in work: UnitOfWork) throws {
        guard !ids.isEmpty else { return }
        let rows = try work.transaction.query(
            "DELETE FROM unreadable WHERE shop = $1 AND external_id = ANY($2) RETURNING external_id",
            [.text(shop.name.rawValue), .textArray(ids)])
        for row in rows { try emitHeld(try row.decode(at: 0), [], in: work) }
    }

    private func emitHeld(_ id: String, _ holds: [OrderHold], in work: UnitOfWork) throws {
        let reference = OrderReference(shop: shop.name, externalID: id)
        let event = OrderHeld(
            reference: reference, number: id, version: OrderVersion(revision: 0, stateVersion: holds.isEmpty ? 1 : 0),
            holds: holds, heldAt: work.startedAt)
        try work.emit(
            Event(event, subject: reference.description, correlation: reference.description, occurredAt: work.startedAt)
        )
    }
}
