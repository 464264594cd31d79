import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import ShopAccounts
import ShopConnectors

/// Reads a shop's orders: by modified time from where the last pass ended, or the whole of the last days.
///
/// Each page is stored in one transaction together with the position; a pass that dies goes on from there, and what it
/// reads again is dropped by its digest.
struct PassHandler: WorkHandler {
    let shop: CollectorSettings.Shop
    let account: ShopAccount
    let database: ServiceDatabase
    let clock: WallClock
    let replica: String
    let faults: FaultInjection
    let stop: StopSignal
    let logger: Logger

    var leaseSeconds: Int { 600 }
    var ledger: OrderLedger { OrderLedger(shop: shop) }
    /// The dependency that is paused on when the shop is out.
    var dependency: Dependency { Dependency(ShopAccount.accountName(shop.name)) }

    func perform(_ event: Event<PassWork>, _ context: WorkContext) async -> Outcome {
        let kind = event.payload.kind
        let owner = "\(replica) \(event.id.uuidString.lowercased())"
        do {
            guard var pass = try await begin(kind, owner: owner) else { return .later(milliseconds: 5_000) }
            do {
                try await read(&pass)
                try await finish(pass, context)
                return .done
            } catch {
                return try await failed(pass, error)
            }
        } catch {
            return .retry(FailureReason(.transient, code: "database", message: "Orders of \(shop.name): \(error)"))
        }
    }

    /// One reading of the shop's orders.
    struct Pass: Sendable {
        let kind: OrdersCollected.Kind
        let owner: String
        let began: Date
        /// Who waits for it.
        let requests: [UUID]
        var position: OrderFeedPosition
        var window: CollectingWindow
        /// How far it may claim to have read, by the shop's clock.
        var end: Date
        /// The same by ours.
        var completeUpTo: Date
        var measure: ShopClockMeasure?
        /// The ids that the shop named; only the repair keeps them.
        var named: Set<String> = []
        var seen = 0
        var changed = 0
        /// In the ledger, of the same days, and not named by the shop; the repair's.
        var notNamed = 0
    }

    /// The pass's lease was taken over, or the service stops: somebody else goes on from the position.
    struct Interrupted: Error {}

    private func begin(_ kind: OrdersCollected.Kind, owner: String) async throws -> Pass? {
        let shop = self.shop
        return try await database.unitOfWork { work in
            guard try FeedStore.takeLease(kind, of: shop.name, owner: owner, in: work.transaction) else { return nil }
            let now = work.startedAt
            let position = try FeedStore.position(of: shop.name, in: work.transaction)
            let window = Self.window(kind, position, shop, now: now)
            return Pass(
                kind: kind, owner: owner, began: now,
                requests: try FeedStore.requests(kind, of: shop.name, in: work.transaction), position: position,
                window: window, end: window.upTo,
                completeUpTo: window.upTo.addingTimeInterval(-(position.clockAheadSeconds ?? 0)))
        }
    }

    static func window(
        _ kind: OrdersCollected.Kind, _ position: OrderFeedPosition, _ shop: CollectorSettings.Shop, now: Date
    ) -> CollectingWindow {
        // The repair reads the last days again, whatever the position says.
        let start = kind == .pass ? position : OrderFeedPosition(clockAheadSeconds: position.clockAheadSeconds)
        return CollectingWindow(
            after: start, now: now, firstFrom: now.addingTimeInterval(-shop.repairSeconds),
            overlapSeconds: shop.overlapSeconds, lagSeconds: shop.lagSeconds)
    }

    // MARK: Reading

    private func read(_ pass: inout Pass) async throws {
        let capabilities = try await account.capabilities()
        let reading = try account.connector.require(\.orderReading, of: capabilities, for: .readOrders)
        var cursor: OrderCursor?
        var isFirst = true
        while true {
            if stop.isStopping { throw Interrupted() }
            let began = clock.now()
            let window = OrderWindow(.updated, from: pass.window.from, upTo: pass.window.upTo)
            let page = try await reading.page(in: window, after: cursor)
            faults.reached(.afterCallBeforeCommit)
            if isFirst {
                isFirst = false
                if takeClock(page.shopTime, began: began, &pass) { continue }
            }
            pass.seen += page.orders.count
            if pass.kind == .repair { pass.named.formUnion(page.orders.map(\.externalID)) }
            try await store(page, began: began, reading, &pass)
            guard let next = page.next else { break }
            cursor = next
        }
        if pass.kind == .repair { try await repairUnnamed(reading, &pass) }
    }

    /// Takes in what the first answer says about the shop's clock.
    ///
    /// - Returns: Whether the window was made for another clock, so that it was set anew and is to be read again.
    private func takeClock(_ shopTime: Date?, began: Date, _ pass: inout Pass) -> Bool {
        guard let shopTime else { return false }
        let measure = ShopClockMeasure(shopTime: shopTime, began: began)
        let isKnown = pass.measure != nil
        pass.measure = measure
        pass.position.clockAheadSeconds = measure.aheadSeconds
        if !isKnown, measure.isFarFrom(pass.window.upTo, lagSeconds: shop.lagSeconds) {
            pass.window = Self.window(pass.kind, pass.position, shop, now: began)
            pass.end = measure.bounded(pass.window.upTo, lagSeconds: shop.lagSeconds)
            pass.completeUpTo = measure.ours(pass.end)
            return true
        }
        pass.end = measure.bounded(pass.window.upTo, lagSeconds: shop.lagSeconds)
        pass.completeUpTo = measure.ours(pass.end)
        return false
    }

    private func store(
        _ page: OrderPage, began: Date, _ reading: any OrderReading, _ pass: inout Pass
    ) async throws {
        var waiting: [String: ReadOrder] = [:]
        for result in page.orders {
            waiting[result.externalID] = try ReadOrder(result, readAt: began, isConfirmed: false)
        }
        let position = pass.kind == .pass ? reached(page, pass) : nil
        repeat {
            let ready = try await confirmed(waiting, reading)
            let (shop, ledger, kind, owner, via) = (shop, ledger, pass.kind, pass.owner, pass.via)
            let (measure, completeUpTo, end) = (pass.measure, pass.completeUpTo, pass.end)
            let stored = try await database.unitOfWork { work in
                guard try FeedStore.takeLease(kind, of: shop.name, owner: owner, in: work.transaction) else {
                    throw Interrupted()
                }
                let stored = try ledger.store(ready, via: via, in: work)
                if stored.open.isEmpty, let position {
                    let rest = end.timeIntervalSince(position)
                    try FeedStore.move(
                        shop.name, to: position, completeUpTo: completeUpTo.addingTimeInterval(-rest),
                        clockAhead: measure?.aheadSeconds, at: work.startedAt, in: work.transaction)
                }
                return stored
            }
            pass.changed += stored.changed
            let open = Set(stored.open)
            waiting = waiting.filter { open.contains($0.key) }
        } while !waiting.isEmpty
        if let position { pass.position.cursor = position }
    }

    /// Where the feed stands once this page is stored.
    private func reached(_ page: OrderPage, _ pass: Pass) -> Date? {
        PagePosition.after(
            lastUpdatedAt: page.orders.last { $0.updatedAt != nil }?.updatedAt, isLast: page.next == nil,
            before: pass.position.cursor.map { min($0, pass.end) }, end: pass.end)
    }

    /// The readings that say something new, each that differs from what is known fetched by its id once more.
    func confirmed(_ readings: [String: ReadOrder], _ reading: any OrderReading) async throws -> [ReadOrder] {
        let database = self.database
        let known = try await OrderStore.known(readings.keys.sorted(), of: shop.name) { sql, parameters in
            try await database.pool.query(sql, parameters)
        }
        var ready: [ReadOrder] = []
        for id in readings.keys.sorted() {
            guard let read = readings[id] else { continue }
            guard let revision = read.revision else {
                ready.append(read)
                continue
            }
            switch RevisionDecision(revision, knowing: known[id]?.revision) {
            case .outdated: break
            case .unchanged(let keepTime): if keepTime || known[id]?.isUnreadable == true { ready.append(read) }
            case .first, .revise: ready.append(read)
            case .confirm: ready.append(try await fetch(id, reading))
            }
        }
        return ready
    }

    /// One order by its id.
    func fetch(_ id: String, _ reading: any OrderReading) async throws -> ReadOrder {
        let began = clock.now()
        let result = try await reading.order(id)
        faults.reached(.afterCallBeforeCommit)
        guard let result else { return ReadOrder(gone: id, readAt: began) }
        return try ReadOrder(result, readAt: began, isConfirmed: true)
    }
}

extension PassHandler.Pass {
    /// How its readings came about.
    var via: ReadVia { kind == .pass ? .pass : .repair }
}
