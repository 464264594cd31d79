import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Changed orders of one shop on their way into the tables and out as events, many in a few statements.
struct LedgerBatch {
    typealias Change = (row: LedgerRow, effects: OrderEffects)

    let shop: ShopName
    let via: ReadVia
    /// Orders that nobody knew of.
    var added: [Change] = []
    /// Orders with a new revision; their rows are locked.
    var revised: [Change] = []
    /// Orders about which only what we add has changed; their rows are locked.
    var reassessed: [Change] = []
    /// Orders that are new or different.
    var changed = 0

    init(shop: ShopName, via: ReadVia) {
        self.shop = shop
        self.via = via
    }

    /// Writes everything and emits the events.
    ///
    /// - Returns: The ids of orders that somebody else added at the same moment; nothing of them was written.
    mutating func write(in work: UnitOfWork) throws -> [String] {
        let transaction = work.transaction
        let inserted = try OrderStore.insert(added.map(\.row), in: transaction)
        let raced = added.map(\.row.record.order.externalID).filter { !inserted.contains($0) }
        added.removeAll { !inserted.contains($0.row.record.order.externalID) }
        try OrderStore.update((revised + reassessed).map(\.row), in: transaction)
        let new = added + revised
        try OrderHistoryStore.addRevisions(of: new.map(\.row), via: via, at: work.startedAt, in: transaction)
        let all = new + reassessed
        try OrderHistoryStore.replaceOpenLines(of: all.map(\.row), added: inserted, shop: shop, in: transaction)
        try OrderHistoryStore.addNotes(
            all.flatMap { change in change.effects.notes.map { (change.row, $0) } }, at: work.startedAt,
            in: transaction)
        for change in all { try OrderEvents.emit(change.row, change.effects, in: work) }
        changed += all.count
        return raced
    }
}

/// What others are told about an order.
enum OrderEvents {
    /// Emits what a change brings about: the order's event, a hold, and tasks for people.
    static func emit(_ row: LedgerRow, _ effects: OrderEffects, in work: UnitOfWork) throws {
        if let change = effects.change { try emitOrder(row, change, in: work) }
        if effects.holdsChanged { try emitHeld(row, in: work) }
        for task in effects.tasks { try CancellationAlerts.raise(task, row, in: work) }
    }

    /// Says the present state of an order.
    static func emitOrder(_ row: LedgerRow, _ change: OrderEffects.Change, in work: UnitOfWork) throws {
        let record = row.record
        let subject = record.order.reference.description
        let event = OrderChanged(
            change: topic(change), order: record.order, version: record.version, lines: record.lines,
            holds: record.holds, cancellation: record.cancellation, learntAt: row.learntAt,
            reservedUntil: record.reservedUntil)
        try work.emit(Event(event, subject: subject, correlation: subject, occurredAt: work.startedAt))
    }

    private static func emitHeld(_ row: LedgerRow, in work: UnitOfWork) throws {
        let record = row.record
        let subject = record.order.reference.description
        let event = OrderHeld(
            reference: record.order.reference, number: record.order.number, version: record.version,
            holds: record.holds, heldAt: record.heldAt ?? work.startedAt)
        try work.emit(Event(event, subject: subject, correlation: subject, occurredAt: work.startedAt))
    }

    private static func topic(_ change: OrderEffects.Change) -> OrderChanged.Change {
        switch change {
        case .created: .created
        case .updated: .updated
        case .cancelled: .cancelled
        case .refunded: .refunded
        }
    }
}
