import Contracts
import Foundation
import ProcessStack
import ShopSimulators
import Testing

// A sale whose time cannot be right makes its shelf unknown, so that it is read once more (Domain's SaleSpan). What a
// clock that went back still costs until it is where it was: increases wait, and so do shelves whose writer died.
@Suite("Clock jumps", .serialized, .timeLimit(.minutes(60)), WholeSystem())
struct ClockFaults {
    @Test(
        "Forwards by hours and back by an hour, with the shops or without them: nothing is lost, twice or older",
        arguments: FaultSeeds.all)
    func jumps(seed: UInt64) async throws {
        print("fault: clock jumps with STOCKBRIDGE_FAULT_SEED=\(seed)")
        let (round, began) = (try WholeRound.begin(), ContinuousClock.now)
        let stack = round.stack
        var dice = Dice(seed: seed)
        var skew = 0.0
        var jumped: [String] = []
        // The first goes forward, so that there is an hour to go back by.
        for minutes in [120 + dice.roll(120), -60, 30 + dice.roll(90), -60] {
            try round.trade(3, &dice)
            try await stack.stockbridge("run", "report", "--wait", "0", expecting: [0, 3])
            let isOurs = dice.roll(2) == 0
            try await round.countInFlight()
            if isOurs {
                // The machine's clock only: the shops keep the right time.
                skew -= Double(minutes) * 60
                for shop in stack.shops.values { shop.setClock(skewSeconds: skew) }
            }
            try await stack.clock.jump(minutes: Double(minutes))
            jumped.append("\(minutes) minutes \(isOurs ? "without" : "with") the shops")
            try round.trade(2, &dice)
            try await round.ask(.stockIngestor, .republish)
            try await round.reconcile()
        }
        // A time server sets it right at last; the day goes on later than it ever was.
        for shop in stack.shops.values { shop.setClock(skewSeconds: 0) }
        try await stack.clock.jump(minutes: 180)
        // Where a clock went back nobody can tell if a sale came before a write or after it; what that leaves wrong
        // by a unit is what the reconciliation is for.
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        try await stack.stockbridge("run", "reconciliation", "--wait", "120", expecting: [0, 3])
        try await stack.settleWithOrders()
        try await round.check(
            "seed \(seed), clock jumps by \(jumped.joined(separator: ", "))", kind: "clock jumps",
            injected: jumped.count, since: began)
    }
}
