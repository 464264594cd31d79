import Foundation
import Testing

@testable import ShopSimulators

@Suite("The simulated shop is as strict as the platform")
struct SimulatorTests {
    private let author = Author(time: Date(timeIntervalSince1970: 0))

    @Test func `its signature check is the one of RFC 5849`() {
        // Section 3.4.1.1.
        let text = OAuthVerifier.baseString(
            method: "post", url: "HTTP://EXAMPLE.com:80/request",
            parameters: [
                ("b5", "=%3D"), ("a3", "a"), ("c@", ""), ("a2", "r b"), ("oauth_consumer_key", "9djdj82h48djs9d2"),
                ("oauth_token", "kkk9d7dh3k39sjv7"), ("oauth_signature_method", "HMAC-SHA1"),
                ("oauth_timestamp", "137131201"), ("oauth_nonce", "7d8f3e4a"), ("c2", ""), ("a3", "2 q"),
                ("oauth_signature", "left out"),
            ])
        #expect(
            text == "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D"
                + "%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a"
                + "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        )
        // Section 1.2, the request for the photograph.
        let photo = OAuthVerifier.baseString(
            method: "GET", url: "http://photos.example.net/photos",
            parameters: [
                ("file", "vacation.jpg"), ("size", "original"), ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
                ("oauth_token", "nnch734d00sl2jdk"), ("oauth_signature_method", "HMAC-SHA1"),
                ("oauth_timestamp", "137131202"), ("oauth_nonce", "chapoH"),
            ])
        #expect(
            OAuthVerifier.signature(
                method: "HMAC-SHA1", text: photo, secret: "kd94hf93k423kf44", tokenSecret: "pfkkdhi9sl3r4s00")
                == "MdpQcU8iPSUjWoN/UDMsK2sui9I=")
        #expect(OAuthVerifier.signature(method: "PLAINTEXT", text: photo, secret: "s") == nil)
    }

    private func signed(timestamp: Int, nonce: String, secret: String = "cs_simulator") -> Call {
        var parameters = [
            (name: "oauth_consumer_key", value: "ck_simulator"), (name: "oauth_timestamp", value: "\(timestamp)"),
            (name: "oauth_nonce", value: nonce), (name: "oauth_signature_method", value: "HMAC-SHA256"),
        ]
        let url = "http://shop.example/wp-json/wc/v3/products"
        let text = OAuthVerifier.baseString(method: "GET", url: url, parameters: parameters + [("page", "1")])
        let signature = OAuthVerifier.signature(method: "HMAC-SHA256", text: text, secret: secret)
        parameters.append((name: "oauth_signature", value: signature ?? ""))
        let header =
            "OAuth " + parameters.map { "\($0.name)=\"\(OAuthVerifier.escape($0.value))\"" }.joined(separator: ",")
        return Call(
            method: "GET", path: "/wp-json/wc/v3/products", query: [("page", "1")],
            headers: ["host": "shop.example", "authorization": header], body: [], client: "", isLoopback: true,
            isEncrypted: false)
    }

    @Test func `a nonce counts once, a time stamp for fifteen minutes, a signature only with the secret`() throws {
        let shop = try SimulatedShop(SimulatorConfiguration(), catalogue: [])
        let now = Date(timeIntervalSince1970: 1_000_000)
        func refusal(_ call: Call) -> String? {
            shop.with { $0.refuse(call, shop.configuration, now: now)?.body }
        }
        #expect(refusal(signed(timestamp: 1_000_000, nonce: "a")) == nil)
        #expect(refusal(signed(timestamp: 1_000_000, nonce: "a"))?.contains("nonce has already been used") == true)
        #expect(refusal(signed(timestamp: 1_000_900, nonce: "b")) == nil)
        #expect(refusal(signed(timestamp: 999_099, nonce: "c"))?.contains("Invalid timestamp") == true)
        let forged = refusal(signed(timestamp: 1_000_000, nonce: "d", secret: "cs_other"))
        #expect(forged?.contains("provided signature does not match") == true)
        #expect(shop.with { $0.statistics.unauthorized } == 3)
    }

    @Test func `a page holds at most a hundred items`() throws {
        func status(_ query: String) -> Int {
            let call = Call(
                method: "GET", path: "/", query: Call.parse(query: query), headers: [:], body: [], client: "",
                isLoopback: true, isEncrypted: false)
            switch ListingRequest.read(call) {
            case .success: return 200
            case .failure(let refused): return refused.answer.status
            }
        }
        #expect(status("per_page=100&orderby=id&order=asc&offset=0") == 200)
        for wrong in [
            "per_page=101", "per_page=0", "per_page=many", "page=0", "order=up", "orderby=stock", "offset=-1",
        ] {
            #expect(status(wrong) == 400, "\(wrong)")
        }
    }

    @Test func `a quantity counts only where stock is managed, and is cut to a whole number`() throws {
        var items = try ShopItems([CatalogueProduct(id: 1, sku: "A", manageStock: false)], at: author.time)
        func send(_ update: String) -> Int? {
            let batch = Batch.read(Array("{\"update\":[{\"id\":1,\(update)}]}".utf8), parent: nil)
            if let batch { _ = items.perform(batch, twist: BatchTwist(), limit: 100, by: author) }
            return items.all[1]?.stock
        }
        #expect(send("\"stock_quantity\":5") == nil)
        #expect(items.journal.entries.isEmpty)
        #expect(send("\"manage_stock\":true,\"stock_quantity\":5") == 5)
        #expect(send("\"stock_quantity\":6.9") == 6)
        #expect(send("\"stock_quantity\":\"-2\"") == -2)
        #expect(send("\"manage_stock\":\"false\",\"stock_quantity\":9") == nil)
        #expect(items.journal.entries.map(\.after) == [5, 6, -2, nil])
    }

    @Test func `a batch beyond the limit does nothing and says 413`() throws {
        var items = try ShopItems([CatalogueProduct(id: 1, sku: "A", stock: 1)], at: author.time)
        let updates = Array(repeating: "{\"id\":1,\"stock_quantity\":2}", count: 101).joined(separator: ",")
        let batch = try #require(Batch.read(Array("{\"update\":[\(updates)]}".utf8), parent: nil))
        let answer = items.perform(batch, twist: BatchTwist(), limit: 100, by: author)
        #expect(answer.status == 413 && answer.body.contains("woocommerce_rest_request_entity_too_large"))
        #expect(items.all[1]?.stock == 1)
    }

    @Test func `a limit lets a burst through and then one call for each part of a second`() {
        var bucket = TokenBucket(rate: 4, burst: 2)
        #expect(bucket.take(at: 10) == nil && bucket.take(at: 10) == nil)
        #expect(bucket.take(at: 10) == 0.25)
        #expect(bucket.take(at: 10.25) == nil)
        #expect(bucket.take(at: 10.25) != nil)
        #expect(bucket.take(at: 99) == nil && bucket.take(at: 99) == nil && bucket.take(at: 99) != nil)
    }

    @Test func `faults match, count down, run out, and fall the same way from the same seed`() {
        var plan = FaultPlan()
        plan.add(Fault(.reset, method: "POST", path: "/wp-json", times: 2), at: 0)
        plan.add(Fault(.html, seconds: 5), at: 0)
        #expect(plan.next(method: "POST", path: "/wp-json/x", at: 1)?.kind == .reset)
        #expect(plan.next(method: "GET", path: "/wp-json/x", at: 1)?.kind == .html)
        #expect(plan.next(method: "POST", path: "/wp-json/x", at: 1)?.kind == .reset)
        #expect(plan.next(method: "POST", path: "/wp-json/x", at: 1)?.kind == .html)
        #expect(plan.next(method: "POST", path: "/wp-json/x", at: 5) == nil)
        #expect(plan.fired == ["reset": 2, "html": 2])
        func falls() -> [Bool] {
            var plan = FaultPlan()
            plan.add(Fault(.slow, probability: 0.3, seed: 7), at: 0)
            return (0..<200).map { _ in plan.next(method: "GET", path: "/", at: 0) != nil }
        }
        #expect(falls() == falls())
        #expect((30...90).contains(falls().count { $0 }))
    }

    @Test func `a sale takes from the stock and is refused beyond it`() throws {
        let products = [
            CatalogueProduct(id: 1, sku: "A", stock: 3),
            CatalogueProduct(id: 2, sku: "B", stock: 5, variations: [.init(id: 3, sku: "B-1")]),
        ]
        let simulator = try ShopSimulator(SimulatorConfiguration(), catalogue: products)
        #expect(simulator.sell("1", quantity: 2) && !simulator.sell("1", quantity: 2))
        #expect(simulator.sell("1", quantity: 2, oversell: true))
        #expect(simulator.sell("2/3", quantity: 1))
        #expect(simulator.stock == ["1": -1, "2": 4])
        #expect(simulator.journal.map(\.source) == [.sale, .sale, .sale])
    }

    @Test func `writes to one shelf at the same time are noticed`() throws {
        let shop = try SimulatedShop(SimulatorConfiguration(), catalogue: [])
        let report = shop.with { state -> SimulatorStatistics in
            for keys in [["1", "2"], ["2"]] {
                _ = state.begin()
                state.beginChange(of: keys)
            }
            state.end(changing: ["1", "2"])
            state.end(changing: ["2"])
            _ = state.begin()
            state.beginChange(of: ["2"])
            return state.report
        }
        #expect(report.maximumWritesInFlight == 2 && report.overlappingWrites == ["2": 2])
        #expect(report.concurrentRequests == 1 && report.maximumConcurrentRequests == 2)
    }

    @Test func `a catalogue file is read line by line, names its mistakes, and comes out as it went in`() throws {
        let text = """
            {"id":1,"sku":"0042","name":"Kem \\"đêm\\"","stock":3}

            {"id":2,"type":"variable","variations":[{"id":3,"sku":"V","option":"M","stock":4}]}
            """
        let products = try CatalogueFile.parse(Data(text.utf8))
        #expect(products.map(\.id) == [1, 2])
        let again = try ShopItems(products, at: author.time).catalogue()
        #expect(again.map(\.sku) == ["0042", ""] && again[1].variations?.first?.stock == 4)
        #expect(try CatalogueFile.parse(Data(CatalogueFile.text(again).utf8)).count == 2)
        let mistake = #expect(throws: CatalogueFile.Mistake.self) {
            try CatalogueFile.parse(Data("\n{\"id\":\"x\"}".utf8))
        }
        #expect(mistake?.line == 2)
        #expect(throws: ShopItems.Mistake.self) { try ShopItems(products + products, at: author.time) }
    }
}
