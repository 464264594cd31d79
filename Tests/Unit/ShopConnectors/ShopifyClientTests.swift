import Domain
import Foundation
import Synchronization
import Testing
import Transfer

@testable import ShopConnectors

/// A steady clock that only moves when somebody sleeps.
final class SteadyClock: Sendable {
    private let seconds = Mutex(1_000.0)
    var now: Double { seconds.withLock { $0 } }
    func sleep(_ length: Double) { seconds.withLock { $0 += length } }
}

/// A client to a Shopify shop that answers from a script; waiting takes no time.
func shopify(
    _ http: ScriptedHTTP, version: String = "2026-04", token: String? = "shpat_permanent",
    clock: SteadyClock = SteadyClock(), pacing: any CallPacing = UnlimitedPacing()
) -> ShopifyClient {
    var client = ShopifyClient(
        configuration: ShopifyConfiguration(
            shop: "saigon", url: "https://shop.example/", apiVersion: version, accessToken: token,
            clientID: "app", clientSecret: "s3cret", location: "gid://shopify/Location/9"),
        http: http, pacing: pacing)
    client.steady = { clock.now }
    client.sleep = { clock.sleep($0) }
    return client
}

/// `extensions.cost` of an answer.
func cost(_ requested: Int, available: Int, rate: Int = 100) -> String {
    """
    "extensions":{"cost":{"requestedQueryCost":\(requested),"throttleStatus":{"maximumAvailable":2000.0,\
    "currentlyAvailable":\(available),"restoreRate":\(rate)}}}
    """
}

@Suite("Calls to Shopify keep within its points")
struct ShopifyClientTests {
    private let document = ShopifyDocument(name: "q", text: "query Q { shop { name } }", cost: 500)

    private func call(_ client: ShopifyClient) async throws(ConnectorError) -> ShopifyClient.Reply {
        try await client.call(document, [:], for: .readOrders)
    }

    @Test func `a query goes out with its version, its token and its variables`() async throws {
        let http = ScriptedHTTP { (_) in json("{\"data\":{\"shop\":{\"name\":\"x\"}}}") }
        let reply = try await call(shopify(http))
        #expect(reply.data["shop"]["name"].textIfAny == "x")
        let request = try #require(http.sent.first)
        #expect(request.url == "https://shop.example/admin/api/2026-04/graphql.json" && request.method == "POST")
        #expect(request.headers.value("x-shopify-access-token") == "shpat_permanent")
        #expect(request.mayBeResent == true)
    }

    @Test func `nothing is sent before the points for it are there`() async throws {
        let clock = SteadyClock()
        let http = ScriptedHTTP { (_) in json("{\"data\":{},\(cost(700, available: 100))}") }
        let client = shopify(http, clock: clock)
        _ = try await call(client)
        #expect(clock.now == 1_000)
        // 700 points by the shop's own word, 100 are there, 100 come each second.
        _ = try await call(client)
        #expect(clock.now == 1_006)
    }

    @Test(arguments: [("\"nan\"", "100"), ("0", "1e-310"), ("-1e300", "1")])
    func `points that are no numbers, or hardly come back, make nobody wait for ever`(
        available: String, rate: String
    ) async throws {
        let http = ScriptedHTTP { (_) in
            json(
                """
                {"data":{},"extensions":{"cost":{"requestedQueryCost":900,"throttleStatus":{"maximumAvailable":2000,\
                "currentlyAvailable":\(available),"restoreRate":\(rate)}}}}
                """)
        }
        let client = shopify(http)
        for _ in 0..<2 {
            do throws(ConnectorError) {
                _ = try await call(client)
            } catch {
                #expect("\(error)".contains("asks to wait 86400 s"))
            }
        }
    }

    @Test func `whoever would wait too long is told how long`() async throws {
        let http = ScriptedHTTP { (_) in json("{\"data\":{},\(cost(900, available: 0, rate: 10))}") }
        let client = shopify(http)
        _ = try await call(client)
        await #expect(
            throws: ConnectorError.throttled(ShopCall(shop: "saigon", action: .readOrders), retryAfterSeconds: 90)
        ) { _ = try await call(client) }
        #expect(http.sent.count == 1)
    }

    @Test func `queries that go out together do not count the same points twice`() {
        var budget = ShopifyBudget()
        #expect(budget.wait(for: 5_000, at: 0) == 0, "nothing is known yet")
        budget.note(.init(maximum: 1_000, available: 1_000, restoreRate: 50), requested: 400, of: "a", at: 0)
        #expect(budget.cost(of: "a", estimate: 9) == 400 && budget.cost(of: "b", estimate: 9) == 9)
        budget.spend(400, at: 0)
        budget.spend(400, at: 0)
        #expect(budget.wait(for: 400, at: 0) == 4)
        #expect(budget.wait(for: 400, at: 4) == 0)
        #expect(budget.wait(for: 9_000, at: 0) == 16, "no query waits for more than the bucket holds")
    }

    @Test(arguments: [200, 429])
    func `throttled is throttled, whatever the status`(status: Int) async throws {
        let http = ScriptedHTTP { (_) in
            json(
                "{\"errors\":[{\"message\":\"Throttled\",\"extensions\":{\"code\":\"THROTTLED\"}}],"
                    + cost(752, available: 52) + "}", status: status)
        }
        await #expect(
            throws: ConnectorError.throttled(ShopCall(shop: "saigon", action: .readOrders), retryAfterSeconds: 7)
        ) { _ = try await call(shopify(http)) }
    }

    @Test(arguments: [
        (200, "{\"errors\":[{\"message\":\"no\",\"extensions\":{\"code\":\"ACCESS_DENIED\"}}]}", "forbidden"),
        (200, "{\"errors\":[{\"message\":\"Field 'x' doesn't exist\"}],\"data\":{}}", "refused"),
        (200, "{\"errors\":[{\"message\":\"x\",\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}", "unavailable"),
        (200, "{\"errors\":\"strange\"}", "refused"), (200, "{\"data\":null}", "malformed_answer"),
        (200, "<html>", "malformed_answer"), (200, "{\"data\":{", "malformed_answer"),
        (401, "{\"errors\":\"[API] Invalid API key\"}", "unauthorized"), (402, "{\"errors\":\"plan\"}", "refused"),
        (403, "{\"errors\":\"no\"}", "forbidden"), (423, "{\"errors\":\"locked\"}", "unavailable"),
        (429, "{\"errors\":\"slow down\"}", "throttled"), (503, "", "unavailable"),
    ])
    func `each layer of errors is checked`(status: Int, body: String, label: String) async {
        let http = ScriptedHTTP { (_) in json(body, status: status) }
        do throws(ConnectorError) {
            _ = try await call(shopify(http))
            Issue.record("no error came")
        } catch {
            #expect(error.label == label)
        }
        #expect(http.sent.count == 1)
    }

    // MARK: - Tokens

    /// A shop that gives out tokens `shpat_1`, `shpat_2` and so on, and takes the newest only.
    private func granting(life: Int = 86_399) -> ScriptedHTTP {
        let given = Mutex(0)
        return ScriptedHTTP { (request) in
            if request.url.hasSuffix("/admin/oauth/access_token") {
                let number = given.withLock { count in
                    count += 1
                    return count
                }
                return json("{\"access_token\":\"shpat_\(number)\",\"expires_in\":\(life)}")
            }
            let newest = "shpat_\(given.withLock { $0 })"
            return request.headers.value("X-Shopify-Access-Token") == newest
                ? json("{\"data\":{}}") : json("{\"errors\":\"[API] Invalid API key\"}", status: 401)
        }
    }

    @Test func `a token is asked for once and renewed before it ends`() async throws {
        let (clock, http) = (SteadyClock(), granting())
        let client = shopify(http, token: nil, clock: clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { _ = try await self.call(client) } }
            try await group.waitForAll()
        }
        #expect(http.sent.count { $0.url.hasSuffix("access_token") } == 1)
        let form = http.sent.first { $0.url.hasSuffix("access_token") }?.body ?? []
        #expect(
            String(decoding: form, as: UTF8.self)
                == "client_id=app&client_secret=s3cret&grant_type=client_credentials")
        clock.sleep(86_000)
        _ = try await call(client)
        #expect(http.sent.count { $0.url.hasSuffix("access_token") } == 1)
        clock.sleep(200)
        _ = try await call(client)
        #expect(http.sent.count { $0.url.hasSuffix("access_token") } == 2)
    }

    @Test func `a token that is no longer taken is replaced once`() async throws {
        let withdrawn = Mutex(true)
        let inner = granting()
        let http = ScriptedHTTP { (request) throws(TransferError) in
            let isCall = request.url.hasSuffix("graphql.json")
            let refuses = withdrawn.withLock { isFirst in
                defer { if isCall { isFirst = false } }
                return isFirst && isCall
            }
            return refuses ? json("{\"errors\":\"x\"}", status: 401) : try inner.answer(request)
        }
        _ = try await call(shopify(http, token: nil))
        #expect(http.sent.count { $0.url.hasSuffix("access_token") } == 2)
        let never = ScriptedHTTP { (request) in
            request.url.hasSuffix("access_token")
                ? json("{\"access_token\":\"shpat_x\"}") : json("{\"errors\":\"x\"}", status: 401)
        }
        await #expect(throws: ConnectorError.self) { _ = try await call(shopify(never, token: nil)) }
        #expect(never.sent.count == 4, "two tokens and two calls, then it is given up")
    }

    @Test func `credentials that the grant refuses are unauthorized and shown nowhere`() async {
        let http = ScriptedHTTP { (_) in json("{\"error\":\"invalid_client s3cret\"}", status: 400) }
        do throws(ConnectorError) {
            _ = try await call(shopify(http, token: nil))
            Issue.record("no error came")
        } catch {
            #expect(error.label == "unauthorized" && !"\(error)".contains("s3cret"))
        }
        let configuration = ShopifyConfiguration(
            shop: "s", url: "https://a", accessToken: "shpat_hidden", clientID: "hidden", clientSecret: "hidden")
        for text in ["\(configuration)", String(reflecting: configuration)] { #expect(!text.contains("hidden")) }
    }

    // MARK: - Discovery

    private func discover(
        _ scopes: [String], locations: Int = 1, version: String = "2026-04", location: String? = nil
    ) async throws -> ShopCapabilities {
        let list = scopes.map { "{\"handle\":\"\($0)\"}" }.joined(separator: ",")
        let places = (0..<locations).map { "{\"id\":\"gid://shopify/Location/\($0)\",\"isActive\":true}" }
        let http = ScriptedHTTP { (request) in
            let isScopes = String(decoding: request.body ?? [], as: UTF8.self).contains("accessScopes")
            return json(
                isScopes
                    ? "{\"data\":{\"currentAppInstallation\":{\"accessScopes\":[\(list)]}}}"
                    : "{\"data\":{\"locations\":{\"nodes\":[\(places.joined(separator: ","))]}}}",
                [HTTPHeader("X-Shopify-API-Version", version)])
        }
        let configuration = ShopifyConfiguration(
            shop: "s", url: "https://a", accessToken: "shpat_1", clientSecret: "secret", location: location)
        return try await ShopifyConnector(configuration, http: http, pacing: UnlimitedPacing()).discover()
    }

    @Test func `scopes decide what there is`() async throws {
        let all = ["read_products", "write_inventory", "read_locations", "write_orders", "read_all_orders"]
        let full = try await discover(all)
        #expect(full.catalogue != nil && full.stockWriting != nil && full.orderReading != nil && full.webhooks != nil)
        #expect(full.notes.isEmpty)
        let some = try await discover(["read_inventory", "read_locations", "read_orders"])
        #expect(some.catalogue == nil && some.stockReading != nil && some.stockWriting == nil)
        #expect(some.notes.contains { $0.contains("read_all_orders") })
        #expect(some.notes.contains { $0.contains("write_inventory") })
    }

    @Test func `of several locations one has to be named, and orders are read all the same`() async throws {
        let scopes = ["read_products", "write_inventory", "read_locations", "read_orders", "read_all_orders"]
        let several = try await discover(scopes, locations: 2)
        #expect(several.stockWriting == nil && several.orderReading != nil && several.notes.count == 1)
        let named = try await discover(scopes, locations: 2, location: "gid://shopify/Location/1")
        #expect(named.stockWriting != nil)
    }

    @Test func `another version that answers is noted`() async throws {
        let found = try await discover(["read_orders", "read_all_orders"], version: "2026-07")
        #expect(found.notes.contains { $0.contains("2026-07") && $0.contains("2026-04") })
    }
}

extension ScriptedHTTP {
    /// The script's answer, without being noted down.
    func answer(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse { try script(request) }
}
