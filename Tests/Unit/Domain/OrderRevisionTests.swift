import Domain
import Foundation
import Testing

@Suite("Which reading of an order is a revision")
struct OrderRevisionTests {
    private let noon = OrderSupport.noon

    private func decide(
        _ digest: String, at seconds: Double, readAfter read: Double = 0, confirmed: Bool = false,
        known: String? = "a"
    ) -> RevisionDecision {
        RevisionDecision(
            RevisionReading(
                digest: digest, updatedAt: noon.addingTimeInterval(seconds), readAt: noon.addingTimeInterval(read),
                isConfirmed: confirmed),
            knowing: known.map { KnownRevision(digest: $0, updatedAt: noon, readAt: noon) })
    }

    @Test("an order that nobody knows is its first revision, without being fetched once more")
    func first() { #expect(decide("a", at: 0, known: nil) == .first) }

    @Test("the same digest is nothing new, but a newer time is kept")
    func same() {
        #expect(decide("a", at: 0) == .unchanged(keepTime: false))
        #expect(decide("a", at: 5) == .unchanged(keepTime: true))
        #expect(decide("a", at: -5) == .unchanged(keepTime: false))
    }

    @Test("an older time with another digest is ignored, confirmed or not")
    func older() {
        #expect(decide("b", at: -1) == .outdated)
        #expect(decide("b", at: -1, confirmed: true) == .outdated)
    }

    @Test("an equal or newer time with another digest is fetched by its id before it counts")
    func newer() {
        #expect(decide("b", at: 0) == .confirm)
        #expect(decide("b", at: 1) == .confirm)
        #expect(decide("b", at: 0, confirmed: true) == .revise)
        #expect(decide("b", at: 1, confirmed: true) == .revise)
    }

    @Test("of two readings of one second the one begun later counts")
    func sameSecond() {
        #expect(decide("b", at: 0, readAfter: -1, confirmed: true) == .outdated)
        #expect(decide("b", at: 0, readAfter: 1, confirmed: true) == .revise)
    }

    @Test("fault 8 for orders: there and back again is two more revisions, as only the present one is compared with")
    func thereAndBack() {
        #expect(decide("b", at: 1, confirmed: true, known: "a") == .revise)
        #expect(decide("a", at: 2, confirmed: true, known: "b") == .revise)
    }

    @Test("times are equal to the microsecond, however they were rounded on their way through the database")
    func rounding() { #expect(decide("b", at: 1e-7, readAfter: -1, confirmed: true) == .outdated) }
}

@Suite("The stretch of time that a pass reads")
struct CollectingWindowTests {
    private let noon = OrderSupport.noon

    private func window(_ position: OrderFeedPosition, at seconds: Double = 0) -> CollectingWindow {
        CollectingWindow(
            after: position, now: noon.addingTimeInterval(seconds), firstFrom: noon.addingTimeInterval(-7 * 86_400),
            overlapSeconds: 600, lagSeconds: 30)
    }

    @Test("the first pass begins some days back and ends behind the shop's clock")
    func first() {
        #expect(window(OrderFeedPosition()).from == noon.addingTimeInterval(-7 * 86_400))
        #expect(window(OrderFeedPosition()).upTo == noon.addingTimeInterval(-30))
    }

    @Test("later passes go back by the overlap")
    func overlap() {
        let position = OrderFeedPosition(
            cursor: noon.addingTimeInterval(-90), completeUpTo: noon.addingTimeInterval(-90))
        #expect(window(position).from == noon.addingTimeInterval(-690))
    }

    @Test("a shop whose clock is two hours off is read by its own clock", arguments: [7_200.0, -7_200])
    func clockOff(_ ahead: Double) {
        let position = OrderFeedPosition(
            cursor: noon.addingTimeInterval(ahead - 90), completeUpTo: noon.addingTimeInterval(-90),
            clockAheadSeconds: ahead)
        #expect(window(position).from == noon.addingTimeInterval(ahead - 690))
        #expect(window(position).upTo == noon.addingTimeInterval(ahead - 30))
    }

    @Test("after the shop's clock was set back the window goes by ours")
    func setBack() {
        let position = OrderFeedPosition(
            cursor: noon.addingTimeInterval(7_110), completeUpTo: noon.addingTimeInterval(-90), clockAheadSeconds: 0)
        #expect(window(position).from == noon.addingTimeInterval(-690))
    }

    @Test("what is complete is said by our clock, and never beyond the lag")
    func measure() {
        let measure = ShopClockMeasure(shopTime: noon.addingTimeInterval(7_200), began: noon)
        #expect(measure.aheadSeconds == 7_201)
        let end = measure.bounded(noon.addingTimeInterval(9_000), lagSeconds: 30)
        #expect(end == noon.addingTimeInterval(7_170))
        #expect(measure.ours(end) == noon.addingTimeInterval(-31))
        #expect(measure.isFarFrom(noon, lagSeconds: 30))
        #expect(measure.isFarFrom(noon.addingTimeInterval(9_000), lagSeconds: 30))
        #expect(!measure.isFarFrom(noon.addingTimeInterval(7_165), lagSeconds: 30))
    }

    @Test("fault 7: the position stays before a page's last second, whose orders may go on on the next page")
    func ties() {
        let last = noon.addingTimeInterval(-100)
        let after = PagePosition.after(lastUpdatedAt: last, isLast: false, before: nil, end: noon)
        #expect(after == last.addingTimeInterval(-1))
        #expect(PagePosition.after(lastUpdatedAt: last, isLast: true, before: nil, end: noon) == noon)
        #expect(PagePosition.after(lastUpdatedAt: last, isLast: false, before: noon, end: noon) == noon)
        #expect(PagePosition.after(lastUpdatedAt: nil, isLast: false, before: last, end: noon) == last)
    }

    @Test("a webhook is fresh for ten minutes, by the shop's own clock")
    func freshness() {
        func isFresh(_ age: Double, ahead: Double = 0) -> Bool {
            WebhookFreshness.isFresh(
                sentAt: noon.addingTimeInterval(-age), receivedAt: noon, clockAheadSeconds: ahead)
        }
        #expect(isFresh(0) && isFresh(599) && isFresh(-599))
        #expect(!isFresh(601) && !isFresh(-601))
        #expect(isFresh(-7_200, ahead: 7_200) && !isFresh(0, ahead: 7_200))
        #expect(WebhookFreshness.isFresh(sentAt: nil, receivedAt: noon, clockAheadSeconds: 0))
    }
}
