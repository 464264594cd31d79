import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import TestStack
import Testing

/// Whole days: customers, the shops' people and bad luck, as the seed has it.
@Suite("A day of random orders, edits, cancellations, restarts and kills", .serialized, .timeLimit(.minutes(60)))
struct DaySimulationFaults {
    @Test("Orders in are orders reported and held, nothing is twice, every shelf is right", arguments: FaultSeeds.all)
    func day(seed: UInt64) async throws {
        print("fault: a day with STOCKBRIDGE_FAULT_SEED=\(seed)")
        let plan = StackPlan(
            skus: 80, shops: ["hanoi", "danang", "beauty"], shopLatencyMilliseconds: 20, startsAt: "05:30",
            hasSchedules: true,
            edits: [("request_timeout_seconds: 30", "request_timeout_seconds: 1"), ("batch: 100", "batch: 5")])
        try await ProcessStack.with(plan) { stack in
            let tap = try await MessageTap.install(in: stack)
            try await stack.open(hasOrders: true)
            let began = ContinuousClock.now
            var day = SimulatedDay(stack, seed: seed)
            try await day.run()
            try await day.end()
            let verdict = try await Checker(stack, tap: tap).verdictOfDay()
            let reported = try ReportedOrders(stack)
            let orders = stack.shops.values.reduce(0) { $0 + $1.orders().count }
            FaultTally.shared.conclude(
                "kill -9 or restart of any service on a day with orders", verdict, injected: day.faults.count,
                inFlight: day.inFlight, since: began,
                saying: "day \(seed): \(orders) orders, \(reported.orders.count) reported, "
                    + "\(reported.held.count) held; \(day.faults.joined(separator: ", "))")
        }
        print(FaultTally.shared.text)
    }
}

/// One day, as the dice have it.
struct SimulatedDay {
    /// What was done to which service.
    private(set) var faults: [String] = []
    /// Messages on their way at the moments of these faults.
    private(set) var inFlight = 0

    private let stack: ProcessStack
    private let customers: Customers
    private var dice: Dice

    static let times = ["05:50", "06:00", "08:30", "11:59", "12:00", "14:00", "16:00"]
    static let services = [
        "order-collector", "order-collector", "erp-bridge", "stock-publisher", "stock-publisher", "reconciler",
        "stock-ingestor", "notifier",
    ]

    init(_ stack: ProcessStack, seed: UInt64) {
        (self.stack, customers, dice) = (stack, Customers(stack), Dice(seed: seed))
    }

    mutating func run() async throws {
        for time in Self.times {
            if time == "06:00" { try stack.deliver(stack.morning) }
            try await stack.clock.move(to: time)
            if time == "14:00" || time == "16:00" {
                try await stack.stockbridge("run", "report", "--wait", "0", expecting: [0, 3])
            }
            if time == "16:00" {
                try await stack.stockbridge("run", "reconciliation", "--wait", "0", expecting: [0, 3])
            }
            try await act(4)
            try await strike()
            try await act(4)
        }
    }

    // MARK: - Customers and the shops' people

    private mutating func act(_ times: Int) async throws {
        for _ in 0..<times {
            try happen()
            // What happens at one moment would be one moment's work.
            try await Task.sleep(for: .milliseconds(dice.roll(250)))
        }
    }

    private mutating func happen() throws {
        let name = stack.shops.keys.sorted()[dice.roll(stack.shops.count)]
        let shop = try stack.shop(name)
        let open = shop.orders().filter { !$0.cancelled && !$0.fulfilled && $0.status != "trash" }
        let chosen = open.isEmpty ? nil : open[dice.roll(open.count)]
        switch (dice.roll(10), chosen) {
        case (0, let order?): try shop.cancelOrder(order.id)
        case (1, let order?), (2, let order?):
            guard let line = order.lines.first(where: { $0.quantity > 0 }) else { return }
            let more = OrderEdit.Line(lineID: line.lineID, quantity: line.quantity + 1 + dice.roll(2))
            try shop.editOrder(order.id, OrderEdit(lines: [more]))
        case (3, let order?): try shop.touchOrder(order.id)
        case (4, _): try placeBad(name)
        default: try customers.buy(at: name, &dice)
        }
    }

    private mutating func placeBad(_ shop: String) throws {
        let kind = dice.roll(3)
        try customers.buy(at: shop, &dice) { order in
            switch kind {
            case 0: order.totalOffBy = "9000"
            case 1: order.blankSKULine = true
            default: order.currency = "XQZ"
            }
        }
    }

    // MARK: - Bad luck

    private mutating func strike() async throws {
        let service = Self.services[dice.roll(Self.services.count)]
        let child = try stack.running(service)
        switch dice.roll(3) {
        case 0:
            child.kill()
            faults.append("kill -9 of \(service)")
        case 1:
            let status = try await child.stop()
            #expect(status == 0, "\(service) ends well when it is told to stop")
            faults.append("restart of \(service)")
        default: try await strikeAtPoint(service)
        }
        inFlight += try await stack.messagesInFlight()
        try await stack.letLeasesRunOut()
        try await stack.start(service)
    }

    private mutating func strikeAtPoint(_ service: String) async throws {
        let (point, times) = (NamedFault.points[dice.roll(NamedFault.points.count)], 1 + dice.roll(2))
        try await stack.running(service).stop()
        let dying = try stack.startToDie(service, at: point, times: times)
        try await act(3)
        // Whether there is enough to do to get there, the dice have decided.
        let deadline = ContinuousClock.now + .seconds(6)
        while dying.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        let wasReached = !dying.isRunning
        if wasReached { #expect(dying.exitStatus == -SIGKILL, "it was killed at the point, and did not end otherwise") }
        dying.kill()
        faults.append("kill -9 of \(service) at \(wasReached ? point : "some point") (\(times))")
    }

    // MARK: - The end

    /// The last report, and rest.
    func end() async throws {
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        try await stack.clock.move(to: "18:00")
        try await stack.stockbridge("run", "report", "--wait", "120")
        try await stack.wait(for: "the last reports") {
            try await stack.number("SELECT count(*) FROM erp.reports WHERE sent_at IS NULL") == 0
        }
        try await stack.waitForShelves(stack.morning)
        try await stack.settleWithOrders()
    }
}

extension ProcessStack {
    /// Lets the leases of dead workers run out now. They are minutes long, because a living worker may need them; what
    /// is claimed at a shop is left alone and waited for.
    func letLeasesRunOut() async throws {
        for schema in ["stock", "orders", "erp", "reconciliation", "notifications"] {
            _ = try await rows("UPDATE \(schema).inbox SET lease_until = clock_timestamp() WHERE NOT done")
        }
        _ = try await rows("UPDATE orders.leases SET until = clock_timestamp() WHERE until > clock_timestamp()")
        _ = try await rows("UPDATE erp.reports SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL")
        _ = try await rows(
            """
            UPDATE dead_letters.jobs SET lease_until = clock_timestamp() - interval '1 day'
            WHERE lease_until IS NOT NULL
            """)
    }
}
