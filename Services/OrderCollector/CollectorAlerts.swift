import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Conditions of a shop's orders that a person should know of: raised once, cleared once.
struct FeedAlerts: Sendable {
    /// The kinds of conditions.
    enum Kind: String, Sendable {
        /// Its orders cannot be read.
        case feed = "order-feed"
        /// Its clock is wrong.
        case clock = "shop-clock"
        /// It has turned its webhooks off.
        case webhooks = "webhook-disabled"
    }

    let shop: ShopName

    /// Emits an alert unless its condition is open already.
    func raise(
        _ kind: Kind, severity: AlertRaised.Severity = .warning, title: String, text: String, whatToDo: String,
        in work: UnitOfWork
    ) throws {
        let condition = "\(kind.rawValue):\(shop.rawValue)"
        let isNew = try work.transaction.execute(
            "INSERT INTO open_conditions (condition, shop, raised_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [.text(condition), .text(shop.rawValue), .timestamp(work.startedAt)])
        guard isNew == 1 else { return }
        let alert = AlertRaised(
            condition: condition, service: .orderCollector, subject: AlertSubject(shop: shop), severity: severity,
            title: title, text: text, whatToDo: whatToDo, raisedAt: work.startedAt)
        try work.emit(
            Event(alert, subject: shop.rawValue, correlation: "shop \(shop.rawValue)", occurredAt: work.startedAt))
    }

    /// Ends a condition if it is open.
    func clear(_ kind: Kind, text: String, in work: UnitOfWork) throws {
        let condition = "\(kind.rawValue):\(shop.rawValue)"
        let wasOpen = try work.transaction.execute(
            "DELETE FROM open_conditions WHERE condition = $1", [.text(condition)])
        guard wasOpen == 1 else { return }
        let cleared = AlertCleared(
            condition: condition, service: .orderCollector, subject: AlertSubject(shop: shop), text: text,
            clearedAt: work.startedAt)
        try work.emit(
            Event(cleared, subject: shop.rawValue, correlation: "shop \(shop.rawValue)", occurredAt: work.startedAt))
    }
}

/// Cancellations that people have to do something about.
enum CancellationAlerts {
    static func raise(_ task: OrderEffects.Task, _ row: LedgerRow, in work: UnitOfWork) throws {
        let order = row.record.order
        let name = "Order \(order.number.prefix(60)) of shop \(order.shop)"
        let (severity, title, text, whatToDo): (AlertRaised.Severity, String, String, String) =
            switch task {
            case .stopAtERP:
                (
                    .warning, "\(name) is cancelled, and the ERP has it",
                    "\(name) (\(order.reference)) was cancelled after it was reported. Its units are free again, and "
                        + "the next report lists it under Changes.",
                    "Cancel it in the ERP, so that it is not shipped."
                )
            case .decide:
                (
                    .critical, "\(name): a cancellation came late",
                    "The shop says that \(name) (\(order.reference)) is cancelled, but it was reported so long ago "
                        + "that it may have been shipped. Its units still count as sold.",
                    "Find out whether it was shipped; if not, cancel it in the ERP."
                )
            case .reopened:
                (
                    .critical, "\(name) was opened again after its cancellation",
                    "The shop has opened \(name) (\(order.reference)) again, but the ERP was told that it is "
                        + "cancelled. It stays cancelled here.",
                    "If it is to be delivered, place it anew at the shop or enter it in the ERP."
                )
            }
        let alert = AlertRaised(
            condition: "order-\(task.rawValue):\(order.reference)", service: .orderCollector,
            subject: AlertSubject(shop: order.shop), severity: severity, title: title, text: text, whatToDo: whatToDo,
            raisedAt: work.startedAt)
        try work.emit(
            Event(
                alert, subject: order.reference.description, correlation: order.reference.description,
                occurredAt: work.startedAt))
    }
}
