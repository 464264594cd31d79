import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import TestStack
import Testing

@testable import ERPBridge

@Suite("Random histories of orders and reports, on the real tables", .timeLimit(.minutes(20)))
struct HistoryTests {
    @Test("every revision is carried once, replaced by one that is, or counted", arguments: [11, 12, 13] as [UInt64])
    func histories(_ seed: UInt64) async throws {
        try await BridgeBench.with(replicas: 0) { bench in
            var history = try History(bench, seed: seed)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await history.run()) } catch { outcome = .failure(error) }
            await history.close()
            try outcome.get()
        }
    }
}

/// Drives the ledger and the steps of reports as the service does, without a broker and a mail server.
private struct History {
    private struct Tracked {
        var revision = 0
        var state = 0
        var units = 1
        var isHeld = false
        var cancellation: OrderCancellation?
        var wishes = 0
    }

    private let bench: BridgeBench
    private let pool: PostgresPool
    private let database: ServiceDatabase
    private let settings: BridgeSettings
    private let steps: ReportSteps
    private var random: SeededNumbers
    private var orders: [Tracked] = Array(repeating: Tracked(), count: 7)
    private var day = 0

    init(_ bench: BridgeBench, seed: UInt64) throws {
        self.bench = bench
        pool = PostgresPool(bench.system.database(.erpBridge), maximumConnections: 1)
        database = ServiceDatabase(pool: pool, service: .erpBridge, now: { BridgeBench.noon })
        settings = try BridgeSettings(bench.configuration())
        steps = ReportSteps(settings: settings, builder: ReportBuilder(settings: settings))
        random = SeededNumbers(state: seed)
    }

    func close() async { await pool.close() }

    mutating func run() async throws {
        for index in orders.indices { try await change(index) }
        for _ in 0..<90 {
            switch random.next(5) {
            case 0: try await report()
            case 1: try await sendAgain(random.next(orders.count))
            default: try await change(random.next(orders.count))
            }
        }
        for index in orders.indices where orders[index].isHeld {
            orders[index].isHeld = false
            try await say(index)
        }
        try await report(quietly: true)
        try await expectNone("num_nonnulls(s.batch_id, s.superseded_by, s.counted_by) <> 1", "has not one fate")
    }

    private mutating func change(_ index: Int) async throws {
        switch random.next(6) {
        case 0: orders[index].isHeld.toggle()
        case 1:
            orders[index].cancellation = .cancelled
            orders[index].revision += 1
        case 2:
            orders[index].cancellation = nil
            orders[index].revision += 1
        default:
            orders[index].units = 1 + random.next(9)
            orders[index].revision += 1
        }
        orders[index].revision = max(1, orders[index].revision)
        try await say(index)
    }

    private mutating func say(_ index: Int) async throws {
        orders[index].state += 1
        let order = orders[index]
        let change = sampleOrder(
            "\(index)", revision: order.revision, state: order.state, units: order.units,
            holds: order.isHeld ? [OrderHold(.risk, "The shop suspects fraud.")] : [],
            cancellation: order.cancellation)
        try await database.unitOfWork { work in
            try LedgerHandler().apply(
                [Event(change, subject: "x", correlation: "test", occurredAt: work.startedAt)], in: work)
        }
    }

    private mutating func sendAgain(_ index: Int) async throws {
        let commands = BridgeCommands(settings: settings, progress: ReportProgress(settings: settings))
        let wish = Command(
            commandID: UUID(), service: .erpBridge, verb: .resendOrder,
            arguments: ["order": .string("saigon:\(index)"), "reason": .string("The ERP lost it.")],
            requestedBy: "lan", requestedAt: BridgeBench.noon)
        try await database.unitOfWork { work in
            try commands.apply(
                [Event(wish, subject: "x", correlation: "test", occurredAt: work.startedAt)], in: work)
        }
        orders[index].wishes += 1
    }

    /// A report from its being due to its being sent, with orders that change after the build now and then
    /// unless it is to go quietly.
    private mutating func report(quietly: Bool = false) async throws {
        day += 1
        let due = BridgeBench.noon.addingTimeInterval(Double(day - 100) * 86_400)
        let (settings, steps) = (settings, steps)
        let shop = try #require(settings.shops["saigon"])
        let batch = try await database.unitOfWork { work in
            let (batch, _) = try ReportRequests(settings: settings).request(shop, due: due, by: "test", in: work)
            try work.transaction.execute("UPDATE reports SET state = 'ready' WHERE id = $1", [.text(batch)])
            return batch
        }
        for _ in 0..<20 {
            let next = try await database.unitOfWork { work in try steps.next(of: batch, in: work) }
            if case .send = next { break }
            if !quietly, random.next(2) == 0 { try await change(random.next(orders.count)) }
        }
        try await database.unitOfWork { work in
            try ReportRecord(batch: batch, steps: steps).sent("250 OK", in: work)
        }
        try await check()
    }

    private func check() async throws {
        try await expectNone(
            """
            num_nonnulls(s.batch_id, s.superseded_by, s.counted_by) = 0 AND EXISTS (
                SELECT 1 FROM erp.statements n WHERE (n.shop, n.external_id) = (s.shop, s.external_id)
                AND n.statement > s.statement AND num_nonnulls(n.batch_id, n.superseded_by, n.counted_by) = 1)
            """, "has no fate behind one that has")
        try await expectNone(
            """
            s.superseded_by IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM erp.statements n WHERE (n.shop, n.external_id) = (s.shop, s.external_id)
                AND n.statement > s.statement AND s.superseded_by IN (n.batch_id, n.counted_by))
            """, "is replaced by nothing")
        try await expectNone(
            """
            s.batch_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM erp.entries e JOIN erp.reports r ON r.id = e.batch_id AND r.build = e.build
                WHERE r.id = s.batch_id AND r.state = 'sent' AND e.place IN ('lines', 'changes')
                AND (e.shop, e.external_id, e.statement) = (s.shop, s.external_id, s.statement))
            """, "is carried by a batch in which it does not stand")
        for (index, order) in orders.enumerated() {
            let times = try await bench.system.number(
                """
                SELECT count(*) FROM erp.entries e JOIN erp.reports r ON r.id = e.batch_id AND r.build = e.build
                WHERE e.external_id = $1 AND e.place = 'lines'
                """, [.text("\(index)")])
            #expect(times <= 1 + order.wishes, "order \(index) stands \(times) times on Lines")
        }
    }

    private func expectNone(_ condition: String, _ what: String) async throws {
        let count = try await bench.system.number("SELECT count(*) FROM erp.statements s WHERE \(condition)")
        #expect(count == 0, "after \(day) reports \(count) statements: one \(what)")
    }
}

/// Small, and the same everywhere, so that a seed tells the whole story.
private struct SeededNumbers {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
