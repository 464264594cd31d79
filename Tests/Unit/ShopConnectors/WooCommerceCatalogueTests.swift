import Domain
import Foundation
import Synchronization
import Testing
import Transfer

@testable import ShopConnectors

@Suite("A catalogue that changes while it is read")
struct WooCommerceCatalogueTests {
    /// Products by id, listed as WooCommerce does; they change between two requests.
    private final class ChangingShop: Sendable {
        struct State {
            var ids: [Int]
            var dice: Dice
            var touched: Set<Int> = []
        }
        let state: Mutex<State>

        init(_ ids: [Int], seed: UInt64) { state = Mutex(State(ids: ids, dice: Dice(state: seed))) }

        func answer(_ request: HTTPRequest) -> HTTPResponse {
            let offset =
                request.url.split(separator: "&").first { $0.contains("offset=") }
                .flatMap { Int($0.split(separator: "=").last ?? "") } ?? 0
            return state.withLock { state in
                let page = state.ids.dropFirst(offset).prefix(100)
                let items = page.map { "{\"id\":\($0),\"sku\":\"S\($0)\",\"type\":\"simple\"}" }
                // Up to 150 products go and up to 20 come back, anywhere.
                for _ in 0..<state.dice.below(150) where !state.ids.isEmpty {
                    state.touched.insert(state.ids.remove(at: state.dice.below(state.ids.count)))
                }
                for _ in 0..<state.dice.below(20) {
                    let id = 1 + state.dice.below(5_000)
                    if !state.ids.contains(id) { state.ids.append(id) }
                    state.touched.insert(id)
                }
                state.ids.sort()
                return json("[\(items.joined(separator: ","))]")
            }
        }
    }

    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 33)
        }
        mutating func below(_ limit: Int) -> Int { limit < 1 ? 0 : Int.random(in: 0..<limit, using: &self) }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `what stays in the shop comes exactly once, whatever comes and goes`(seed: UInt64) async throws {
        let shop = ChangingShop((1...2_000).map { $0 * 2 }, seed: seed)
        let http = ScriptedHTTP { (request) in shop.answer(request) }
        let catalogue = WooCommerceCatalogue(client: client(http))
        var seen: [Int] = []
        var cursor: CatalogueCursor?
        repeat {
            let page = try await catalogue.page(after: cursor)
            seen += page.listings.compactMap { Int($0.id.rawValue) }
            cursor = page.next
        } while cursor != nil && http.sent.count < 500
        #expect(http.sent.count < 500, "the reading ends, seed \(seed)")
        #expect(Set(seen).count == seen.count, "none comes twice, seed \(seed)")
        let untouched = shop.state.withLock { state in state.ids.filter { !state.touched.contains($0) } }
        #expect(Set(untouched).isSubset(of: seen), "none is missing, seed \(seed)")
    }

    @Test func `a shop that always answers with the same page is left after a while`() async throws {
        let items = (1...100).map { "{\"id\":\($0),\"type\":\"simple\"}" }.joined(separator: ",")
        let http = ScriptedHTTP { (_) in json("[\(items)]") }
        var cursor: CatalogueCursor?
        await #expect(throws: ConnectorError.self) {
            repeat {
                cursor = try await WooCommerceCatalogue(client: client(http)).page(after: cursor).next
            } while cursor != nil && http.sent.count < 500
            Issue.record("\(http.sent.count) calls")
        }
        let hooks = WooCommerceWebhooks(client: client(http), secret: "s")
        await #expect(throws: ConnectorError.self) { _ = try await hooks.subscriptions(to: "https://hub/") }
    }

    @Test func `a product deleted between its listing and its variations is left out`() async throws {
        let http = ScriptedHTTP { (request) in
            request.url.contains("/variations")
                ? json("{\"code\":\"woocommerce_rest_product_invalid_id\",\"message\":\"Invalid ID.\"}", status: 404)
                : json("[{\"id\":1,\"type\":\"variable\"},{\"id\":2,\"sku\":\"B\",\"type\":\"simple\"}]")
        }
        let page = try await WooCommerceCatalogue(client: client(http)).page(after: nil)
        #expect(page.listings.map(\.id) == ["2"])
    }

    @Test func `a type that an extension adds counts as sellable, with its variations if it has any`() async throws {
        let http = ScriptedHTTP { (request) in
            request.url.contains("/products/2/variations")
                ? json("[{\"id\":3,\"sku\":\"V\",\"manage_stock\":true,\"stock_quantity\":4}]")
                : json(
                    "[{\"id\":1,\"type\":\"bundle\"},{\"id\":2,\"type\":\"variable-subscription\",\"variations\":[3]}]")
        }
        let page = try await WooCommerceCatalogue(client: client(http)).page(after: nil)
        #expect(page.listings.map(\.id) == ["1", "2/3"])
        #expect(page.listings.map(\.stock) == [nil, 4])
    }
}
