import Testing

@testable import RabbitMQ

@Suite struct SettlementPlannerTests {
    private func planner(_ count: UInt64) -> SettlementPlanner {
        var planner = SettlementPlanner()
        planner.delivered(count)
        return planner
    }

    private func one(_ number: UInt64) -> SettlementPlanner.Command { .init(number: number, multiple: false) }
    private func upTo(_ number: UInt64) -> SettlementPlanner.Command { .init(number: number, multiple: true) }

    @Test func `a prefix of the open deliveries takes one command`() {
        var planner = planner(5)
        #expect(planner.settle([3, 1, 2]) == [upTo(3)])
        #expect(planner.settle([4, 5]) == [upTo(5)])
        #expect(planner.outstanding == 0)
    }

    @Test func `multiple never covers a delivery somebody still works on`() {
        var planner = planner(5)
        #expect(planner.settle([2, 3]) == [one(2), one(3)])
        #expect(planner.settle([1]) == [one(1)])
        #expect(planner.settle([4, 5]) == [upTo(5)])
    }

    @Test func `a prefix and a rest take one command and single ones`() {
        var planner = planner(6)
        #expect(planner.settle([1, 2, 4, 6]) == [upTo(2), one(4), one(6)])
        #expect(planner.outstanding == 2)
        #expect(planner.settle([3, 5]) == [upTo(5)])
    }

    @Test func `the command names a delivery the broker still has open`() {
        var planner = planner(4)
        #expect(planner.settle([4]) == [one(4)])
        // 4 is gone for the broker, so the last of the fresh ones is named, not the end of the prefix.
        #expect(planner.settle([1, 2, 3]) == [upTo(3)])
    }

    @Test func `settled, unknown and repeated numbers are left out`() {
        var planner = planner(2)
        #expect(planner.settle([1, 1]) == [one(1)])
        #expect(planner.settle([1]) == [])
        #expect(planner.settle([3, 0]) == [])
        #expect(planner.settle([]) == [])
    }

    @Test func `numbers stay right after many deliveries`() {
        var planner = SettlementPlanner()
        for round in 0..<1000 as Range<UInt64> {
            planner.delivered((round + 1) * 10)
            // Keeps the last of every round open until the next.
            let first = round == 0 ? 1 : round * 10
            #expect(planner.settle(Array(first..<(round + 1) * 10)) == [upTo((round + 1) * 10 - 1)])
        }
        #expect(planner.newest == 10_000 && planner.outstanding == 1)
    }
}
