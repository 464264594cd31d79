import Testing

@testable import PostgreSQL

struct PoolLedgerTests {
    /// A ledger whose two connections, 1 and 2, are in use.
    private func exhausted() -> PoolLedger<Int> {
        var ledger = PoolLedger<Int>(maximum: 2)
        for waiter in 1...2 {
            guard case .make = ledger.lease(waiter) else {
                Issue.record("there was room")
                break
            }
        }
        return ledger
    }

    @Test func connectionsAreMadeOnlyWhenNoneIsIdleAndThereIsRoom() {
        var ledger = exhausted()
        #expect(ledger.count == 2)
        #expect(ledger.giveBack(1) == .kept)
        #expect(ledger.giveBack(2) == .kept)
        guard case .ready(2) = ledger.lease(3), case .ready(1) = ledger.lease(4), case .wait = ledger.lease(5) else {
            Issue.record("the connection used last comes first, and there are two")
            return
        }
    }

    @Test func waitersAreServedInOrderAndCancelledOnesSkipped() {
        var ledger = exhausted()
        for waiter in 3...5 { _ = ledger.lease(waiter) }
        #expect([ledger.cancel(4), ledger.cancel(4)] == [true, false])
        #expect(ledger.giveBack(1) == .passed(to: 3))
        let servedLeft = ledger.cancel(3)
        #expect(!servedLeft, "who was served has to give back")
        #expect(ledger.giveBack(2) == .passed(to: 5))
        #expect(ledger.giveBack(1) == .kept)
        #expect(ledger.idle == [1])
    }

    @Test func aClosedPoolTurnsAwayAndLetsGo() {
        var ledger = exhausted()
        _ = ledger.giveBack(1)
        _ = ledger.lease(3)
        _ = ledger.lease(4)
        let (waiters, idle) = ledger.close()
        #expect(waiters == [4])
        #expect(idle.isEmpty)
        guard case .closed = ledger.lease(5) else {
            Issue.record("the pool is closed")
            return
        }
        #expect(ledger.giveBack(1) == .dropped)
        #expect(ledger.count == 1)
        #expect(ledger.giveBack(2) == .dropped)
        #expect(ledger.count == 0)
    }
}
