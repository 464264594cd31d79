import Foundation
import ShopSimulators
import Testing
import Transfer

@Suite("The simulator is told what to do under /__simulator/")
struct SimulatorControlTests {
    private func send(
        _ client: TransferClient, _ method: String, _ url: String, _ body: String? = nil, token: String? = nil
    ) async throws -> (status: Int, text: String) {
        let headers = token.map { [HTTPHeader("X-Simulator-Token", $0)] } ?? []
        let response = try await client.send(
            HTTPRequest(method: method, url: url, headers: headers, body: body.map { Array($0.utf8) }))
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    @Test func `faults, sales, settings, products, journal and counts are there`() async throws {
        try await withShop(.wooCommerceOverHTTP) { shop in
            let client = TransferClient(options: TransferOptions())
            defer { client.close() }
            let base = shop.simulator.url + "/__simulator"
            func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> (
                status: Int, text: String
            ) {
                try await send(client, method, base + path, body)
            }
            #expect(try await ask("POST", "/sales", #"{"sku":"SOAP","quantity":2}"#).text == #"{"id":"10","stock":3}"#)
            #expect(try await ask("POST", "/sales", #"{"id":"10","quantity":9}"#).status == 409)
            #expect(try await ask("POST", "/stock", #"{"id":"20/21","quantity":50}"#).status == 200)
            let stock = try await ask("GET", "/stock?id=20/21,10").text
            #expect(stock.contains(#""stock":50"#))
            let journal = try await ask("GET", "/journal?after=1").text
            #expect(journal.contains(#""source":"site""#) && !journal.contains("SOAP"))
            #expect(try await ask("DELETE", "/journal").status == 200)
            #expect(try await ask("GET", "/journal").text == "[]")
            #expect(try await ask("POST", "/products", #"{"id":77,"sku":"NEW","stock":1}"#).status == 200)
            #expect(try await ask("POST", "/products", #"{"id":77}"#).status == 400)
            #expect(try await ask("DELETE", "/products/77").status == 200)
            let lines = try await ask("GET", "/catalogue").text.split(separator: "\n")
            #expect(lines.count == smallCatalogue.count)
            let fault = #"{"kind":"status","status":503,"retry_after":"9","times":1,"path":"/wp-json"}"#
            #expect(try await ask("POST", "/faults", fault).status == 200)
            let pending = try await ask("GET", "/faults").text
            #expect(pending.contains(#""kind":"status""#))
            let answer = try await send(client, "GET", shop.simulator.url + "/wp-json/wc/v3/products")
            #expect(answer.status == 503)
            #expect(try await ask("POST", "/faults", #"{"kind":"magic"}"#).status == 400)
            #expect(try await ask("PUT", "/settings", #"{"requests_per_second":0.1,"burst":1}"#).status == 200)
            let statuses = [
                try await send(client, "GET", shop.simulator.url + "/wp-json/wc/v3/products").status,
                try await send(client, "GET", shop.simulator.url + "/wp-json/wc/v3/products").status,
            ]
            #expect(statuses == [401, 429])
            let counts = try await ask("GET", "/statistics").text
            #expect(counts.contains(#""throttled":1"#) && counts.contains(#""faults":{"status":1}"#))
            #expect(try await ask("GET", "/nothing").status == 404)
        }
    }

    @Test func `with a token nobody gets in without it`() async throws {
        try await withShop(.wooCommerceOverHTTP, configure: { $0.adminToken = "let-me-in" }) { shop in
            let client = TransferClient(options: TransferOptions())
            defer { client.close() }
            let url = shop.simulator.url + "/__simulator/"
            let stranger = try await send(client, "GET", url)
            let operatorOfIt = try await send(client, "GET", url, token: "let-me-in")
            #expect(stranger.status == 401 && operatorOfIt.status == 200)
        }
    }
}
