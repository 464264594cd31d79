import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ShopAccounts
import ShopConnectors

extension PassHandler {
    /// So many failures in a row are told to people; fewer pass by themselves.
    static let failuresBeforeAlert = 3
    /// So many orders are fetched before they are stored.
    private static let fetchedAtOnce = 50

    // MARK: Repair

    /// Fetches what the ledger holds of the last days and the shop did not name: it was deleted, or its time of the
    /// last change is not what it should be.
    func repairUnnamed(_ reading: any OrderReading, _ pass: inout Pass) async throws {
        let rows = try await database.pool.query(
            """
            SELECT external_id FROM orders
            WHERE shop = $1 AND placed_at >= $2 AND placed_at <= $3 AND cancellation IS DISTINCT FROM 'cancelled'
            ORDER BY external_id
            """, [.text(shop.name.rawValue), .timestamp(pass.window.from), .timestamp(pass.end)])
        let missing = try rows.map { try $0.decode(at: 0, as: String.self) }.filter { !pass.named.contains($0) }
        pass.notNamed = missing.count
        let (ledger, via) = (ledger, pass.via)
        for start in stride(from: 0, to: missing.count, by: Self.fetchedAtOnce) {
            var ready: [ReadOrder] = []
            for id in missing[start..<min(start + Self.fetchedAtOnce, missing.count)] {
                if stop.isStopping { throw Interrupted() }
                ready.append(try await fetch(id, reading))
            }
            let group = ready
            pass.changed += try await database.unitOfWork { work in
                try ledger.store(group, via: via, in: work).changed
            }
        }
    }

    // MARK: The end

    /// Tells everybody how far the shop's orders are known, also when nothing changed.
    func finish(_ pass: Pass, _ context: WorkContext) async throws {
        let shop = self.shop
        try await context.complete { work in
            let alerts = FeedAlerts(shop: shop.name)
            let transaction = work.transaction
            let position = try FeedStore.position(of: shop.name, in: transaction)
            let day = LocalDay.start(of: work.startedAt, in: shop.timeZone)
            let placed = try FeedStore.placed(since: day, of: shop.name, in: transaction)
            for request in pass.requests.map(Optional.some) + (pass.requests.isEmpty ? [nil] : []) {
                let event = OrdersCollected(
                    shop: shop.name, kind: pass.kind, completeUpTo: position.completeUpTo ?? pass.completeUpTo,
                    request: request, seen: pass.seen, changed: pass.changed, placedToday: placed,
                    collectedAt: work.startedAt)
                try work.emit(
                    Event(
                        event, subject: shop.name.rawValue, correlation: "orders \(shop.name)",
                        occurredAt: work.startedAt))
            }
            if pass.kind == .repair { try Self.record(pass, shop.name, in: work) }
            try FeedStore.finish(pass.kind, of: shop.name, answered: pass.requests, in: work)
            try FeedStore.giveBackLease(pass.kind, of: shop.name, owner: pass.owner, in: transaction)
            try alerts.clear(.feed, text: "The orders of shop \(shop.name) are being collected again.", in: work)
            try Self.judgeClock(pass.measure, shop, alerts, in: work)
        }
        if pass.changed > 0 || pass.kind == .repair {
            logger.info(
                "orders collected",
                metadata: [
                    "shop": "\(shop.name)", "kind": "\(pass.kind.rawValue)", "seen": "\(pass.seen)",
                    "changed": "\(pass.changed)",
                ])
        }
    }

    private static func record(_ pass: Pass, _ shop: ShopName, in work: UnitOfWork) throws {
        try work.transaction.execute(
            """
            INSERT INTO repairs (shop, began_at, ended_at, seen, not_named, repaired) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT DO NOTHING
            """,
            [
                .text(shop.rawValue), .timestamp(pass.began), .timestamp(work.startedAt), .int(pass.seen),
                .int(pass.notNamed), .int(pass.changed),
            ])
    }

    /// The measure is up to a second and a call's time too much.
    private static func judgeClock(
        _ measure: ShopClockMeasure?, _ shop: CollectorSettings.Shop, _ alerts: FeedAlerts, in work: UnitOfWork
    ) throws {
        guard let measure else { return }
        let ahead = measure.aheadSeconds - 1
        guard abs(ahead) > shop.clockToleranceSeconds + 1 else {
            return try alerts.clear(.clock, text: "The clock of shop \(shop.name) is right again.", in: work)
        }
        let seconds = Int(abs(ahead).rounded())
        try alerts.raise(
            .clock, title: "The clock of shop \(shop.name) is wrong",
            text:
                "The clock of shop \(shop.name) is \(seconds) s \(ahead > 0 ? "ahead of" : "behind") ours. Its orders "
                + "are collected by its own clock, so none is missed.",
            whatToDo: "Set the clock of the shop's server by NTP.", in: work)
    }

    // MARK: Failures

    /// What a failure of the pass means for its message; records it and tells people where they have to do something.
    func failed(_ pass: Pass, _ error: any Error) async throws -> Outcome {
        let outcome: Outcome
        var isForPeople = false
        switch error {
        case is Interrupted:
            outcome = .later(milliseconds: 5_000)
        case let error as ConnectorError:
            (outcome, isForPeople) = await classify(error)
        default:
            outcome = .retry(
                FailureReason(.transient, code: "database", message: "Orders of \(shop.name): \(error)"))
        }
        let sentence = "\(error)"
        if !(error is Interrupted) {
            logger.warning("orders not collected", metadata: ["shop": "\(shop.name)", "problem": "\(sentence)"])
        }
        let (shop, isLast) = (shop.name, isForPeople)
        try await database.unitOfWork { work in
            try FeedStore.giveBackLease(pass.kind, of: shop, owner: pass.owner, in: work.transaction)
            if error is Interrupted { return }
            let failures = try FeedStore.fail(
                pass.kind, of: shop, problem: sentence, comesBack: outcome != .done, in: work.transaction)
            guard isLast || failures >= Self.failuresBeforeAlert else { return }
            // A shop that is out is an alert of its own, and one is enough.
            let open = try work.transaction.query(
                "SELECT 1 FROM shared.breaker_states() WHERE account = $1 AND opened_at IS NOT NULL",
                [.text(ShopAccount.accountName(shop))])
            guard open.isEmpty else { return }
            try FeedAlerts(shop: shop).raise(
                .feed, severity: .critical, title: "The orders of shop \(shop) are not collected", text: sentence,
                whatToDo: "Look at the shop and the rights of our account; collecting resumes by itself, and nothing "
                    + "is lost.", in: work)
        }
        return outcome
    }

    /// The next scheduled pass tries again what went wrong for good, so its message does not become a dead letter.
    private func classify(_ error: ConnectorError) async -> (Outcome, isForPeople: Bool) {
        switch error {
        case .unauthorized, .forbidden:
            await account.alerts.refusedCredentials("\(error)")
            return (.defer(dependency), false)
        case .notPaced(_, .breakerOpen):
            return (.defer(dependency), false)
        case .notPaced:
            return (.later(milliseconds: 3_000), false)
        case _ where error.disposition == .transient:
            return (.later(milliseconds: 5_000), false)
        default:
            return (.done, true)
        }
    }
}
