import Domain
import Foundation
import Testing
import Transfer

@testable import ShopConnectors

@Suite("What an answer of WordPress means")
struct AnswerReadingTests {
    private let call = ShopCall(shop: "hanoi", action: .writeStock)

    private func reading(_ response: HTTPResponse) -> AnswerReading {
        AnswerReading(
            response: response,
            configuration: WooCommerceConfiguration(
                shop: "hanoi", url: "https://a", key: "ck_key1", secret: "cs_secret1"),
            call: call)
    }

    @Test func `an error with a code is the shop's refusal, one without is malformed`() {
        let refused = reading(json("{\"code\":\"rest_no_route\",\"message\":\"No\\nroute\"}", status: 404))
        #expect(
            refused.failure(items: 0) == .refused(call, status: 404, code: "rest_no_route", message: "No route"))
        let page = reading(HTTPResponse(status: 404, headers: [], body: Array("<html>".utf8)))
        #expect(page.failure(items: 0)?.label == "malformed_answer")
        #expect(page.failure(items: 0)?.mayHaveBeenApplied == false)
    }

    @Test(arguments: [401, 403, 404])
    func `a code is shown short and without credentials, too`(status: Int) throws {
        let code = "cs_secret1" + String(repeating: "x", count: 20_000)
        let error = try #require(reading(json("{\"code\":\"\(code)\"}", status: status)).failure(items: 0))
        #expect("\(error)".count < 400 && !"\(error)".contains("cs_secret1"))
    }

    @Test func `a redirect names the new address without its query`() throws {
        let moved = HTTPResponse(status: 301, headers: [HTTPHeader("Location", "https://b/?oauth_nonce=1")], body: [])
        let error = try #require(reading(moved).failure(items: 0))
        #expect("\(error)".contains("https://b/;") && !"\(error)".contains("oauth_nonce"))
        #expect(error.disposition == .permanent)
    }

    @Test(
        arguments: [
            ("7", 7.0), (" 0 ", 0), ("Sat, 02 Jan 2027 00:01:30 GMT", 90), ("Sat, 02 Jan 2027 00:00:00 GMT", 0),
            ("soon", nil), ("-4", nil), ("inf", nil), ("nan", nil), ("1e300", 86_400),
            ("Sat, 02 Jan 3027 00:00:00 GMT", 86_400), ("Sat, 02 Jan 999999999 0:0:0 GMT", nil),
        ] as [(String, Double?)])
    func `Retry-After is a number of seconds or a date by the shop's clock`(text: String, seconds: Double?) {
        let response = HTTPResponse(
            status: 429,
            headers: [HTTPHeader("retry-after", text), HTTPHeader("Date", "Sat, 02 Jan 2027 00:00:00 GMT")],
            body: [])
        #expect(reading(response).failure(items: 1) == .throttled(call, retryAfterSeconds: seconds))
    }

    @Test func `a byte order mark before the JSON does no harm`() throws {
        let response = HTTPResponse(status: 200, headers: [], body: [0xEF, 0xBB, 0xBF] + Array("[1,2]".utf8))
        #expect(try reading(response).decode([Int].self) == [1, 2])
    }

    @Test func `what came instead of JSON is shown short, printable and without credentials`() {
        let body = "<b>Warning</b> cs_secret1 \u{7}\u{1B}[31m é " + String(repeating: "x", count: 5_000)
        let error = #expect(throws: ConnectorError.self) {
            _ = try reading(HTTPResponse(status: 200, headers: [], body: Array(body.utf8))).decode([Int].self)
        }
        guard case .malformedAnswer(_, let answer) = error else { return }
        #expect(answer.beginning.hasPrefix("<b>Warning</b> [redacted]   [31m ? xxx") && answer.beginning.count == 120)
        #expect(answer.bytes == body.utf8.count && answer.problem == "not JSON")
    }

    @Test func `JSON of another shape names the field and not the value`() {
        let error = #expect(throws: ConnectorError.self) {
            _ = try reading(json("[{\"id\":1},{\"id\":\"secret-value\"}]")).decode([WooCommerceItem].self)
        }
        guard case .malformedAnswer(_, let answer) = error else { return }
        #expect(answer.problem == "the field [1].id has an unexpected type")
    }
}

@Suite("What a product of WooCommerce says")
struct WooCommerceItemTests {
    private func item(_ fields: String) throws -> WooCommerceItem {
        try JSONDecoder().decode(WooCommerceItem.self, from: Data("{\"id\":1,\(fields)}".utf8))
    }

    @Test(
        arguments: [
            ("12", Quantity(12)), ("\"12\"", Quantity(12)), ("-3", Quantity(-3)), ("null", nil), ("12.0", Quantity(12)),
            ("0.1", Quantity(micro: 100_000)), ("12.345678", Quantity(micro: 12_345_678)), ("\"\"", nil),
            ("9000000000000.000001", Quantity(micro: 9_000_000_000_000_000_001)), ("1e3", Quantity(1_000)),
            ("false", nil), ("\"many\"", nil), ("0.1234567", nil),
        ] as [(String, Quantity?)])
    func `a quantity is exact, whether number or text, and unknown if it is neither`(
        text: String, quantity: Quantity?
    ) throws {
        #expect(try item("\"stock_quantity\":\(text)").stockQuantity == quantity)
    }

    @Test(
        arguments: [
            ("true", .own), ("false", .none), ("\"parent\"", .parent), ("\"yes\"", .own), ("null", .none),
        ] as [(String, WooCommerceItem.StockManagement)])
    func `stock is managed here, at the parent, or not at all`(
        text: String, expected: WooCommerceItem.StockManagement
    ) throws {
        #expect(try item("\"manage_stock\":\(text)").stockManagement == expected)
    }

    @Test func `a SKU that an extension made a number is read as text`() throws {
        #expect(try item("\"sku\":42").sku == "42")
        #expect(try item("\"sku\":null").sku == nil)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00", 0.0), ("2026-03-02T02:20:41", 1_772_418_041),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2026-13-01T00:00:00", nil), ("yesterday", nil),
        ] as [(String, Double?)])
    func `a time without an offset is UTC`(text: String, seconds: Double?) {
        #expect(WooCommerceDate.parse(text) == seconds.map { Date(timeIntervalSince1970: $0) })
    }
}
