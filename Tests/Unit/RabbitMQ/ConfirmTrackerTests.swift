import Testing

@testable import RabbitMQ

@Suite struct ConfirmTrackerTests {
    private func tracker(_ count: Int) -> ConfirmTracker<Int> {
        var tracker = ConfirmTracker<Int>()
        for number in 1...count { tracker.append(number) }
        return tracker
    }

    private func settle(_ tracker: inout ConfirmTracker<Int>, _ number: UInt64, multiple: Bool) -> [Int] {
        var settled: [Int] = []
        tracker.settle(number, multiple: multiple) { settled.append($0) }
        return settled
    }

    @Test func `numbers start at one and rise by one, whatever was answered before`() {
        var tracker = ConfirmTracker<Int>()
        #expect(tracker.append(0) == 1)
        #expect(tracker.append(0) == 2)
        _ = settle(&tracker, 2, multiple: true)
        #expect(tracker.append(0) == 3)
    }

    @Test func `a single answer settles exactly its message`() {
        var tracker = tracker(3)
        #expect(settle(&tracker, 2, multiple: false) == [2])
        #expect(tracker.count == 2)
    }

    @Test func `a multiple answer settles all open ones up to its number`() {
        var tracker = tracker(5)
        _ = settle(&tracker, 2, multiple: false)
        #expect(settle(&tracker, 4, multiple: true) == [1, 3, 4])
        #expect(tracker.count == 1)
        #expect(settle(&tracker, 5, multiple: true) == [5])
        #expect(tracker.isEmpty)
    }

    @Test func `a multiple answer for number zero settles everything`() {
        var tracker = tracker(3)
        #expect(settle(&tracker, 0, multiple: true) == [1, 2, 3])
    }

    @Test func `answers given twice, or for numbers never used, change nothing`() {
        var tracker = tracker(3)
        #expect(settle(&tracker, 2, multiple: true) == [1, 2])
        #expect(settle(&tracker, 2, multiple: true) == [])
        #expect(settle(&tracker, 1, multiple: false) == [])
        #expect(settle(&tracker, 4, multiple: false) == [])
        #expect(settle(&tracker, 4, multiple: true) == [])
        #expect(settle(&tracker, 0, multiple: false) == [])
        #expect(tracker.count == 1)
    }

    @Test func `the oldest open message is found first`() {
        var tracker = tracker(4)
        _ = settle(&tracker, 2, multiple: false)
        #expect(tracker.first { $0 % 2 == 0 } == 4)
        #expect(tracker.first { _ in true } == 1)
    }

    @Test func `a long run with a moving window answers every message once`() {
        var tracker = ConfirmTracker<Int>()
        var next = 0
        var answered: [Int] = []
        // Bounded, so that a tracker that loses answers fails instead of hanging.
        for _ in 0..<1000 where answered.count < 20_000 {
            while tracker.count < 1500 && next < 20_000 {
                next += 1
                tracker.append(next)
            }
            let oldest = tracker.first { _ in true } ?? 0
            // One out of order, then the rest of a block.
            answered += settle(&tracker, UInt64(oldest + 1), multiple: false)
            answered += settle(&tracker, UInt64(min(oldest + 700, next)), multiple: true)
        }
        #expect(answered.sorted() == Array(1...20_000))
    }
}
