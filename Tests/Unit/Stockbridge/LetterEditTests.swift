import Contracts
import Domain
import Foundation
import Testing

@testable import Stockbridge

@Suite("What differs between two bodies")
struct JSONDifferenceTests {
    private func value(_ json: String) throws -> JSONValue {
        try ContractCoding.decode(JSONValue.self, from: Array(json.utf8))
    }

    private func between(_ before: String, _ after: String) throws -> [JSONDifference] {
        JSONDifference.between(try value(before), try value(after))
    }

    @Test("the same values do not differ, however they are written")
    func same() throws {
        #expect(try between(#"{"a": 1, "b": [true, null]}"#, #"{"b":[true,null],"a":1}"#).isEmpty)
    }

    @Test("each place is named with its old and its new value, in the order of the names")
    func places() throws {
        let found = try between(
            #"{"b": {"x": "1"}, "a": 1, "gone": null, "l": [1, 2, 3]}"#,
            #"{"b": {"x": "2"}, "a": 1, "new": false, "l": [1, 5]}"#)
        #expect(
            found == [
                JSONDifference(path: "b.x", before: .string("1"), after: .string("2")),
                JSONDifference(path: "gone", before: .null, after: nil),
                JSONDifference(path: "l.1", before: .integer(2), after: .integer(5)),
                JSONDifference(path: "l.2", before: .integer(3), after: nil),
                JSONDifference(path: "new", before: nil, after: .boolean(false)),
            ])
    }

    @Test("a value of another kind differs as a whole, a dot in a name is told from one between names")
    func kinds() throws {
        #expect(try between("{}", "[]").map(\.path) == [""])
        #expect(try between(#"{"a.b": 1}"#, #"{"a.b": 2}"#).map(\.path) == [#"a\.b"#])
        #expect(JSONPath(#"x.a\.b.0"#).steps == ["x", "a.b", "0"])
        #expect(JSONPath(JSONPath.escaped(#"a\.b"#)).steps == [#"a\.b"#])
    }

    @Test("a person reads the old value above the new one")
    func text() throws {
        let found = try between(#"{"q": "3", "l": []}"#, #"{"q": "4", "l": [{"id": 7}]}"#)
        #expect(
            JSONDifference.text(found, style: .plain) == """
                l.0
                  + {"id":7}
                q
                  - "3"
                  + "4"
                """)
    }

    @Test("no control character of a body reaches the terminal")
    func harmless() throws {
        let found = try between(#"{"q": "3"}"#, "{\"q\": \"\\u009b2J\"}")
        #expect(JSONDifference.text(found, style: .plain).unicodeScalars.allSatisfy { $0.value != 0x9B })
    }
}

@Suite("Edits of a dead letter")
struct LetterEditTests {
    private let letter = EditableLetter(
        id: 17, state: "waiting", dataSchema: OrdersCollected.type.dataSchema,
        body: Array(
            """
            {"changed":1,"collected_at":"2026-11-22T00:00:00Z","complete_up_to":"2026-11-22T00:00:00Z","kind":"pass",\
            "placed_today":2,"seen":3,"shop":"hanoi"}
            """.utf8))

    private func set(_ texts: String...) throws -> [UInt8] {
        try letter.setting(texts.map { try JSONAssignment($0) })
    }

    @Test("the places named are replaced, the rest stays byte for byte")
    func assignment() throws {
        let body = try set("seen=4", #"shop="saigon""#)
        #expect(letter.differences(from: body).map(\.path) == ["seen", "shop"])
        #expect(
            String(decoding: body, as: UTF8.self)
                == String(decoding: letter.body, as: UTF8.self).replacing(#""seen":3"#, with: #""seen":4"#)
                .replacing("hanoi", with: "saigon"))
    }

    @Test("lists are reached by position, and lengthened by one behind their end")
    func lists() throws {
        let body = JSONValue.object(["l": .array([.object(["q": .integer(1)])])])
        #expect(
            try JSONAssignment("l.0.q=2").applied(to: body)
                == .object(["l": .array([.object(["q": .integer(2)])])]))
        #expect(
            try JSONAssignment("l.1=null").applied(to: body)
                == .object(["l": .array([.object(["q": .integer(1)]), .null])]))
        for path in ["l.2=1", "l.1.q=1", "l.x=1", "m.x=1", "l.0.q.z=1", "l.-1=1"] {
            #expect(throws: ToolError.self) { try JSONAssignment(path).applied(to: body) }
        }
    }

    @Test("what is not PATH=JSON is refused", arguments: ["seen", "=4", "shop=hanoi", "seen=", "seen=01x"])
    func noAssignment(_ text: String) {
        #expect { try JSONAssignment(text) } throws: { ($0 as? ToolError)?.isUsage == true }
    }

    @Test("a body that is still of its schema passes")
    func passes() throws {
        #expect(try letter.checked(set("seen=4")).contains(#""seen":4"#))
    }

    @Test(
        "an edit that breaks the schema is wrong usage, and the sentence names the place but not the value",
        arguments: [#"{"shop":"hanoi"}"#, "not JSON, 0912345678", ""])
    func broken(_ body: String) {
        #expect {
            try letter.checked(Array(body.utf8))
        } throws: { error in
            guard let error = error as? ToolError else { return false }
            return error.isUsage && !"\(error)".contains("0912345678") && "\(error)".contains("orders.collected")
        }
        #expect(throws: ToolError.self) { try letter.checked([0xFF, 0xFE]) }
    }

    @Test("an edit that changes nothing, or of a letter that does not wait, is not made")
    func pointless() throws {
        #expect(throws: ToolError.self) { try letter.checked(letter.body) }
        var archived = letter
        archived.state = "archived"
        #expect(throws: ToolError.self) { try archived.requireWaiting() }
        try letter.requireWaiting()
    }

    @Test("a letter without a schema cannot be edited, one that is not JSON only as a whole")
    func unreadable() {
        var nameless = letter
        nameless.dataSchema = nil
        #expect(throws: ToolError.self) { try nameless.checked(Array("{}".utf8)) }
        var text = letter
        text.body = Array("oops".utf8)
        #expect(throws: ToolError.self) { try text.setting([JSONAssignment("a=1")]) }
        #expect(text.differences(from: letter.body).map(\.path) == [""])
    }

    @Test("the body that was edited is known by its SHA-256")
    func digest() {
        let abc = EditableLetter(id: 1, state: "waiting", dataSchema: nil, body: Array("abc".utf8))
        #expect(abc.digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}

@Suite("Bodies on a terminal")
struct ShownBodyTests {
    @Test("JSON is indented, text is shown, other bytes are digits")
    func forms() {
        #expect(ShownBody(Array(#"{"b":1,"a":[]}"#.utf8)).content == "{\n  \"a\" : [\n\n  ],\n  \"b\" : 1\n}")
        #expect(ShownBody(Array("<html>".utf8)).form == .text)
        #expect(ShownBody([0xFF, 0x00, 0x1B]).content == "ff 00 1b")
        #expect(ShownBody([]).form == .text)
    }

    @Test("control characters do not reach the terminal")
    func controls() {
        let shown = ShownBody(Array("a\u{1B}[2Jb\u{0}\u{9B}c\n".utf8)).content
        #expect(shown == "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}c\n")
        #expect(ShownBody.oneLine("a\r\nb\t\u{1B}c") == "a b \u{FFFD}c")
    }

    @Test("more than 4 KB is cut, and says so")
    func cut() {
        var shown = ShownBody(Array(repeating: 0x61, count: 5_000))
        shown.cut(to: ShownBody.shownCharacters)
        #expect(shown.content.count == 4_096 && shown.isCut && shown.bytes == 5_000)
        var many = ShownBody(Array(String(repeating: "line\n", count: 40).utf8))
        many.cut(to: ShownBody.shownCharacters)
        #expect(many.isCut && many.content.split(separator: "\n").count == 30)
    }

    @Test("what is deeper nested than anybody reads is text")
    func deep() {
        let deep = Array((String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000)).utf8)
        #expect(ShownBody(deep).form == .text)
    }
}
