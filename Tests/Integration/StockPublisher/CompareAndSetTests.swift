import Contracts
import Domain
import Foundation
import PostgreSQL
import ShopConnectors
import Synchronization
import TestStack
import Testing

/// A shop in memory that compares and sets. It sells behind our back when told to.
final class ScriptedShop: ShopConnector, CatalogueReading, StockReading, StockWriting {
    /// One write as it arrived.
    struct Call: Sendable, Equatable {
        var quantity: Int
        var expected: Int?
        var attempt: String?
        var isTaken: Bool
    }

    private struct State {
        var stock = ["10": 0]
        var sellsBeforeWrite: [Int] = []
        var calls: [Call] = []
        var beforeNextWrite: (@Sendable () -> Void)?
    }

    let shop: ShopName
    private let state = Mutex(State())

    init(_ shop: ShopName) { self.shop = shop }

    var stock: Int { state.withLock { $0.stock["10"] ?? 0 } }
    var calls: [Call] { state.withLock { $0.calls } }

    /// Before each of the next writes arrives, so many are sold.
    func sellBeforeWrites(_ units: [Int]) { state.withLock { $0.sellsBeforeWrite = units } }
    /// Happens once, between the claim of shelves and the call that writes them.
    func beforeNextWrite(_ happening: @escaping @Sendable () -> Void) {
        state.withLock { $0.beforeNextWrite = happening }
    }
    func sell(_ units: Int) { state.withLock { $0.stock["10", default: 0] -= units } }

    let platform = "scripted"
    var webhookVerifying: (any WebhookVerifying)? { nil }
    let maximumBatch = 10
    let comparesAndSets = true

    func discover() async throws(ConnectorError) -> ShopCapabilities {
        ShopCapabilities(catalogue: self, stockReading: self, stockWriting: self)
    }

    func page(after cursor: CatalogueCursor?) async throws(ConnectorError) -> CataloguePage {
        CataloguePage(
            listings: [Listing(id: "10", sku: "SOAP", title: "Soap", stock: Quantity(stock), stockManaged: true)],
            next: nil)
    }

    func readGroups(_ ids: [ListingID]) -> [[ListingID]] { [ids] }
    func groups(_ ids: [ListingID]) -> [[ListingID]] {
        let happening = state.withLock { state in
            defer { state.beforeNextWrite = nil }
            return state.beforeNextWrite
        }
        happening?()
        return [ids]
    }

    func read(_ ids: [ListingID]) async throws(ConnectorError) -> [ListingID: ShopConnectors.ObservedStock] {
        ["10": ShopConnectors.ObservedStock(quantity: Quantity(stock), managed: true)]
    }

    func write(_ writes: [StockWrite]) async throws(ConnectorError) -> [ListingID: StockWriteResult] {
        state.withLock { state in
            var results: [ListingID: StockWriteResult] = [:]
            for write in writes {
                if !state.sellsBeforeWrite.isEmpty {
                    state.stock["10", default: 0] -= state.sellsBeforeWrite.removeFirst()
                }
                let present = state.stock["10"] ?? 0
                let isTaken = write.expected.map { $0.flooredUnits == present } ?? true
                state.calls.append(
                    Call(
                        quantity: write.quantity.flooredUnits, expected: write.expected?.flooredUnits,
                        attempt: write.attempt, isTaken: isTaken))
                if isTaken { state.stock["10"] = write.quantity.flooredUnits }
                results[write.id] =
                    isTaken ? .confirmed(write.quantity) : .mismatch(observed: Quantity(present))
            }
            return results
        }
    }
}

@Suite("A platform that compares and sets", .timeLimit(.minutes(20)))
struct CompareAndSetTests {
    private func withTen(_ body: (PublisherBench, ScriptedShop, TestClock) async throws -> Void) async throws {
        let (shop, clock) = (ScriptedShop("hue"), TestClock())
        try await PublisherBench.with(
            [ShopSetup(name: "hue", catalogue: [], connector: shop)], clock: clock.clock
        ) { bench in
            try await bench.stock([("SOAP", 10)], sequence: 1)
            try await bench.release()
            try #require(try await bench.wants(10, of: "10", in: "hue"))
            try #require(try await eventually { shop.stock == 10 })
            try await bench.collected("hue", upTo: clock.now)
            clock.advance(minutes: 2)
            try await body(bench, shop, clock)
        }
    }

    @Test("fault 5: every write says what the shop has to have before, and under which attempt")
    func everyWriteCompares() async throws {
        try await withTen { bench, shop, clock in
            try await bench.stock([("SOAP", 6)], sequence: 2)
            #expect(try await eventually { shop.stock == 6 })
            let last = try #require(shop.calls.last)
            #expect(last.expected == 10 && last.isTaken)
            #expect(last.attempt?.hasPrefix("hue/10/") ?? false)
            #expect(Set(shop.calls.compactMap(\.attempt)).count == shop.calls.count)
        }
    }

    @Test("fault 1: a mismatch never writes the old target; the orders are fetched and the level worked out anew")
    func mismatch() async throws {
        try await withTen { bench, shop, clock in
            shop.sellBeforeWrites([4])
            try await bench.collected("hue", upTo: clock.now.addingTimeInterval(-30))
            try await bench.stock([("SOAP", 12)], sequence: 2, asOf: clock.now.addingTimeInterval(-60))
            #expect(try await eventually { shop.calls.last?.isTaken == false })
            #expect(try await eventually { try await bench.system.ready("order-collector") > 0 })
            #expect(shop.stock == 6, "the sale was not overwritten")
            var sale = TestOrder(shop: "hue", id: "1", lines: [("10", "SOAP", 4)], placedAt: clock.now)
            sale.placedAt = clock.now.addingTimeInterval(-30)
            try await bench.order(sale)
            #expect(try await bench.wants(8, of: "10", in: "hue"))
            clock.advance(minutes: 1)
            #expect(try await bench.passes(over: ["hue"], from: clock.now) { shop.stock == 8 })
            #expect(!shop.calls.contains { $0.quantity == 12 && $0.isTaken })
        }
    }

    @Test("after three mismatches in a row the shelf is held with the reason, until somebody lets it go")
    func threeMismatches() async throws {
        try await withTen { bench, shop, clock in
            shop.sellBeforeWrites([1, 1, 1, 1, 1])
            try await bench.stock([("SOAP", 2)], sequence: 2)
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM publishing.shelves WHERE held <> ''") == 1
                })
            #expect(shop.calls.filter { !$0.isTaken }.count == 3)
            #expect(shop.stock == 7)
            shop.sellBeforeWrites([])
            try await bench.command(.release, ["shop": "hue", "listing": "10"].mapValues { .string($0) })
            #expect(try await eventually { shop.stock == 2 })
        }
    }

    @Test("a write whose time has passed before it began is made all the same, a little later")
    func heldUpBetweenClaimAndWrite() async throws {
        try await withTen { bench, shop, clock in
            shop.beforeNextWrite { clock.advance(minutes: 1) }
            try await bench.stock([("SOAP", 6)], sequence: 2)
            #expect(try await eventually(within: .seconds(20)) { shop.stock == 6 })
            let unsent = try await bench.system.number(
                "SELECT count(*) FROM publishing.pushes WHERE result = 'not_sent'")
            #expect(unsent == 1)
        }
    }
}
