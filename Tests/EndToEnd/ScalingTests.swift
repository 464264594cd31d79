import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import Testing

@Suite("Four replicas of stock-publisher and three of erp-bridge", .timeLimit(.minutes(60)))
struct ScalingTests {
    private static let publishers = 4
    private static let bridges = 3

    /// Shops that allow hardly more than the configuration says, so that four replicas have to share the limit.
    private static let plan = StackPlan(
        skus: 2_000, shops: ["hanoi", "saigon", "beauty"], shopCallsPerSecond: 12, shopLatencyMilliseconds: 50,
        startsAt: "05:20", hasSchedules: true,
        edits: [
            ("requests_per_second: 20, burst: 20", "requests_per_second: 10, burst: 5"), ("batch: 100", "batch: 10"),
        ])

    @Test("They share the work: no limit is exceeded, no schedule fires twice, no order is reported twice")
    func day() async throws {
        try await ProcessStack.with(Self.plan) { stack in
            try await stack.open(publishers: Self.publishers, hasOrders: true)
            for replica in 2...Self.bridges { try await stack.start("erp-bridge", replica: replica) }
            try await morning(stack)
            try await forenoon(stack)
            try await noon(stack)
            let findings = try await WriteAudit(stack).findings
            #expect(findings == [], "nothing was answered with 429, nothing was stale")
            let fired = stack.firedSchedules()
            #expect(fired.contains { $0.contains("report hanoi") } && fired.contains { $0.contains("pick up") })
            #expect(Set(fired).count == fired.count, "fired twice: \(Self.repeated(fired))")
            try await workIsSpread(stack)
        }
    }

    /// The file comes due; while the shelves are written, the operator sees all replicas.
    private func morning(_ stack: ProcessStack) async throws {
        try stack.deliver(stack.morning)
        try await stack.clock.move(to: "06:00")
        try await stack.wait(for: "stock-publisher at work") {
            let services = try await stack.status().services
            let publisher = services.first { $0.service == "stock-publisher" }
            let bridge = services.first { $0.service == "erp-bridge" }
            return publisher?.replicas == Self.publishers && bridge?.replicas == Self.bridges
                && (publisher?.per_second ?? 0) > 0
        }
        try await stack.waitForShelves(stack.morning)
    }

    private func forenoon(_ stack: ProcessStack) async throws {
        var dice = Dice(seed: 5)
        let customers = Customers(stack)
        try await stack.clock.move(to: "09:00")
        for _ in 0..<3 {
            for shop in stack.shops.keys.sorted() { for _ in 0..<5 { try customers.buy(at: shop, &dice) } }
            try await stack.waitForOrders()
        }
        try await stack.waitForShelves(stack.morning)
    }

    private func noon(_ stack: ProcessStack) async throws {
        try await stack.clock.move(to: "12:00")
        try await stack.waitForReports("\(stack.clock.date.replacing("-", with: ""))-1200")
        let known = try ReportedOrders(stack)
        #expect(known.orders.count == 45 && known.books.count == stack.shops.count)
        #expect(known.duplicated == [])
        #expect(known.differences(from: stack) == [])
        let mails = try stack.arrivedMessageIDs()
        #expect(Set(mails).count == mails.count, "arrived twice: \(Self.repeated(mails))")
    }

    /// Every replica has done its part.
    private func workIsSpread(_ stack: ProcessStack) async throws {
        for (service, replicas) in [("stock-publisher", Self.publishers), ("erp-bridge", Self.bridges)] {
            var counts: [Int] = []
            for replica in 1...replicas {
                let handled = try await stack.handled(by: service, replica: replica)
                print("scaling: \(service) \(replica) handled \(handled.sorted { $0.key < $1.key })")
                // Of stock-publisher the work that calls shops; chunks and orders take no time worth sharing.
                let queues = handled.filter { service == "erp-bridge" || $0.key.contains(".push.") }
                counts.append(queues.values.reduce(0, +))
            }
            #expect(counts.allSatisfy { $0 > 0 }, "\(service): \(counts)")
        }
    }

    private static func repeated(_ texts: [String]) -> [String] {
        Dictionary(grouping: texts) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
    }
}
