import Domain
import Testing

@testable import ShopConnectors

@Suite("JSON is read as it was written")
struct JSONTreeTests {
    private func read(_ text: String) throws -> JSONTree { try JSONTree(Array(text.utf8)) }

    @Test func `numbers keep their text`() throws {
        let tree = try read(#"{"a":63333.333333333336,"b":[1e5,-0,12345678901234567890],"c":0.1}"#)
        #expect(
            tree
                == .object([
                    "a": .number("63333.333333333336"),
                    "b": .array([.number("1e5"), .number("-0"), .number("12345678901234567890")]), "c": .number("0.1"),
                ]))
    }

    @Test func `strings are unescaped`() throws {
        #expect(try read(#" "a\"\\\/\n\u00e9\ud83d\ude00\ud83d x" "#) == .string("a\"\\/\né😀\u{FFFD} x"))
        #expect(try read("\"Sữa\"") == .string("Sữa"))
    }

    @Test func `a zero byte, which no table can keep, becomes the replacement character`() throws {
        #expect(try read("\"a\\u0000b\"") == .string("a\u{FFFD}b"))
        #expect(try read("{\"\u{0}k\":\"\u{0}\"}") == .object(["\u{FFFD}k": .string("\u{FFFD}")]))
    }

    @Test func `half a pair of surrogates takes nothing of what follows it`() throws {
        #expect(try read(#""\ud83d\u0041""#) == .string("\u{FFFD}A"))
    }

    @Test(arguments: [
        "\"\\u+123\"", "", "{", "[1,]", "{\"a\":}", "tru", "\"a", "01x", "1 2", "-", "1.", "{\"a\" 1}", "\"\\u12\"",
        "nul", "[1",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: JSONTree.Malformed.self) { _ = try JSONTree(Array(text.utf8)) }
    }

    @Test func `what is nested without end is refused`() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: JSONTree.Malformed.self) { _ = try JSONTree(Array(text.utf8)) }
    }

    @Test func `what is written is read back`() throws {
        let tree = JSONTree.object([
            "text": .string("a\"\\\n\u{1}é😀"), "list": .array([.null, .boolean(true), .number("1.50")]),
        ])
        #expect(try JSONTree(tree.bytes) == tree)
    }

    @Test(arguments: [
        ("12.5", 12_500_000), ("0.0000005", 1), ("-0.0000005", -1), ("0.00000049", 0),
        ("33333.333333333336", 33_333_333_333),
        ("-1.9999999", -2_000_000),
    ])
    func `money is rounded to the millionth`(text: String, micro: Int64) {
        #expect(Amount(rounding: text)?.micro == micro)
    }

    @Test(arguments: ["", "1e5", "1,5", "abc", "1.23456789x", "9999999999999999999"])
    func `what is no money is none`(text: String) { #expect(Amount(rounding: text) == nil) }

    @Test func `division is exact or rounded half away from zero`() {
        #expect(Amount(400_000).divided(by: 2) == Amount(200_000))
        #expect(Amount(100).divided(by: 3).micro == 33_333_333)
        #expect(Amount(200).divided(by: 3).micro == 66_666_667)
        #expect(Amount(-200).divided(by: 3).micro == -66_666_667)
        #expect(Amount(1).divided(by: 0) == .zero)
        #expect(Amount(8_000_000_000_000).divided(by: 2) == Amount(4_000_000_000_000))
        #expect(Amount(20_000).scaled(by: 2, over: 3).micro == 13_333_333_333)
        #expect(Amount(5).scaled(by: 1, over: .zero) == .zero)
    }
}

extension Amount: ExpressibleByIntegerLiteral {
    init(integerLiteral value: Int) { self.init(value) }
}
