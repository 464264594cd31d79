import Contracts
import Domain
import Foundation
import Testing

@testable import Stockbridge

@Suite("What a replay would do now")
struct ReplayForecastTests {
    private static let order = OrderReference(shop: ShopName("hanoi"), externalID: "10231")

    private func facts(
        _ wish: ReplayForecast.Wish = .other, _ known: ReplayForecast.Known = .nothing
    ) -> ReplayForecast.Facts {
        ReplayForecast.Facts(
            queue: "erp-bridge", queueExists: true, hasID: true, wish: .success(wish), isDone: false, known: known)
    }

    private func kind(_ wish: ReplayForecast.Wish, _ known: ReplayForecast.Known) -> ReplayForecast.Kind {
        ReplayForecast.of(facts(wish, known)).kind
    }

    @Test("what nothing stands against would be done")
    func replay() { #expect(ReplayForecast.of(facts()).kind == .replay) }

    @Test("the first thing that stands against it is told: queue, id, schema, inbox, something newer")
    func order() {
        var facts = facts(
            .order(Self.order, OrderVersion(revision: 1, stateVersion: 1)),
            .order(OrderVersion(revision: 2, stateVersion: 1)))
        #expect(ReplayForecast.of(facts).kind == .superseded)
        facts.isDone = true
        #expect(ReplayForecast.of(facts).kind == .alreadyProcessed)
        facts.wish = .failure(.init(sentence: "seen is missing."))
        #expect(ReplayForecast.of(facts) == ReplayForecast(kind: .schemaInvalid, why: "seen is missing."))
        facts.hasID = false
        #expect(ReplayForecast.of(facts).why.contains("no id"))
        facts.queueExists = false
        #expect(ReplayForecast.of(facts).kind == .undeliverable)
    }

    @Test("a push is superseded once each of its shelves is confirmed at its version or beyond")
    func push() {
        let wish = ReplayForecast.Wish.push(shop: "hanoi", shelves: ["310": 5, "311": 7])
        #expect(kind(wish, .shelves(["310": 5, "311": 8])) == .superseded)
        #expect(kind(wish, .shelves(["310": 5, "311": 6])) == .replay)
        #expect(kind(wish, .shelves(["310": 4, "311": 8])) == .replay)
        // A shelf that is gone has nothing to be pushed.
        #expect(kind(wish, .shelves(["311": 7])) == .superseded)
        #expect(kind(wish, .nothing) == .replay)
    }

    @Test(
        "an order is superseded if the service knows the same version or a newer one",
        arguments: [
            (1, 1, ReplayForecast.Kind.replay), (2, 2, .replay), (2, 3, .superseded), (2, 4, .superseded),
            (3, 1, .superseded), (0, 0, .replay),
        ])
    func orders(_ revision: Int, _ state: Int, _ expected: ReplayForecast.Kind) {
        let wish = ReplayForecast.Wish.order(Self.order, OrderVersion(revision: 2, stateVersion: 3))
        #expect(kind(wish, .order(OrderVersion(revision: revision, stateVersion: state))) == expected)
    }

    @Test("a snapshot's header is superseded by a newer one of its source, not by itself")
    func headers() {
        let wish = ReplayForecast.Wish.stockHeader(source: "erp", sequence: 8)
        #expect(kind(wish, .source(9)) == .superseded)
        #expect(kind(wish, .source(8)) == .replay)
        #expect(kind(wish, .source(7)) == .replay)
    }

    @Test("a chunk is superseded only if each of its codes has been stated since")
    func chunks() {
        let wish = ReplayForecast.Wish.stockChunk(source: "erp", sequence: 8, codes: ["A", "B"])
        #expect(kind(wish, .openCodes(0)) == .superseded)
        #expect(kind(wish, .openCodes(1)) == .replay)
    }

    @Test("what a message wants is read from its body, and what cannot be read is told without its values")
    func reading() throws {
        let work = PushWork(
            shop: ShopName("hanoi"), shelves: [.init(id: ListingID("310"), version: 5)], retryRejected: false)
        let body = try ContractCoding.encode(work)
        #expect(
            try ReplayForecast.Wish.read(dataSchema: PushWork.type.dataSchema, body: body).get()
                == .push(shop: "hanoi", shelves: ["310": 5]))
        for schema in [nil, "stockbridge:nothing:1", PushWork.type.dataSchema.replacing(":1", with: ":9")] {
            #expect(throws: ReplayForecast.Unreadable.self) {
                try ReplayForecast.Wish.read(dataSchema: schema, body: body).get()
            }
        }
        #expect(throws: ReplayForecast.Unreadable.self) {
            try ReplayForecast.Wish.read(dataSchema: PushWork.type.dataSchema, body: Array("{}".utf8)).get()
        }
    }

    @Test("letters are counted by kind, and the first of them named")
    func summary() {
        var summary = ForecastSummary()
        for id in 1...5 {
            let kind = ReplayForecast.Kind.allCases[id % 2]
            summary.add(Int64(id), ReplayForecast(kind: kind, why: "Because."), limit: 3)
        }
        #expect(summary.letters == 5 && summary.replay == 2 && summary.superseded == 3)
        #expect(summary.first.map(\.letter) == [1, 2, 3])
        #expect(
            ForecastText(summary: summary, style: .plain).text == """
                A replay of 5 letters would do this now; nothing was sent:
                  letters  outcome
                        2  replay
                        3  superseded

                  1  superseded: Because.
                  2  replay: Because.
                  3  superseded: Because.
                  and 2 more; --limit names them
                """)
    }
}
