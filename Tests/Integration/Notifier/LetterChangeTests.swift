import Contracts
import Foundation
import TestStack
import Testing

@Suite("Editing and archiving dead letters", .timeLimit(.minutes(20)))
struct LetterChangeTests {
    private func body(_ bench: ReplayBench, _ column: String) async throws -> String {
        try await bench.text("SELECT convert_from(\(column), 'UTF8') FROM dead_letters.letters WHERE id = 1")
    }

    /// - Parameter expected: The body that the person saw.
    private func edit(
        _ bench: ReplayBench, _ body: String, of letter: Int64 = 1, expected: String, reason: String = "A wrong number."
    ) async throws -> [String: JSONValue] {
        let digest = try await bench.text("SELECT encode(sha256(convert_to('\(expected)', 'UTF8')), 'hex')")
        return [
            "letter": .integer(letter), "body": .string(body), "expected": .string(digest), "reason": .string(reason),
        ]
    }

    @Test("an edit keeps the original, sends the new body under the same id, and leaves one live copy")
    func edited() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(1)
            let original = try await body(bench, "body")
            let changed = original.replacing("\"seen\":1", with: "\"seen\":77")
            #expect(try await bench.ask(.edit, edit(bench, changed, expected: original)).state == "done")
            #expect(try await body(bench, "body") == original)
            #expect(try await body(bench, "edited_body") == changed)
            let job = try await bench.replay()
            #expect(try await bench.reaches("done", job))
            #expect(bench.victim.calls == [77])
            #expect(try await bench.effects() == (1, 0))
            let same = "SELECT count(*) FROM stock.effects e JOIN dead_letters.letters l ON l.identity = e.id::text"
            #expect(try await bench.number(same) == 1)
            #expect(try await body(bench, "body") == original)
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.letters") == 1)
            #expect(try await bench.steps(1).hasPrefix("edited replay_requested"))
            #expect(try await bench.letters("processed") == 1)
        }
    }

    @Test("an edit that breaks the schema, of an older body, without a reason or of an unknown letter is refused")
    func refused() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(1)
            let original = try await body(bench, "body")
            let good = original.replacing("\"seen\":1", with: "\"seen\":77")
            let refusals: [([String: JSONValue], String)] = [
                (
                    try await edit(
                        bench, original.replacing("\"seen\":1", with: "\"seen\":\"one\""), expected: original), "schema"
                ),
                (try await edit(bench, "{", expected: original), "schema"),
                (try await edit(bench, good, expected: "{}"), "somebody changed it"),
                (try await edit(bench, good, expected: original, reason: " "), "Say why"),
                (try await edit(bench, good, of: 99, expected: original), "no dead letter 99"),
                (try await edit(bench, original, expected: original), "present one"),
            ]
            for (arguments, part) in refusals {
                let reply = try await bench.ask(.edit, arguments)
                #expect(reply.state == "refused" && reply.message.contains(part), "\(reply.message)")
            }
            #expect(try await body(bench, "coalesce(edited_body, body)") == original)
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.history") == 0)
        }
    }

    @Test("letters are archived with a reason, and are not replayed any more")
    func archived() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(3)
            let filter: JSONValue = .object(["ids": .array([.integer(1), .integer(3)])])
            let silent = try await bench.ask(.archive, ["filter": filter, "reason": .string("")])
            #expect(silent.state == "refused" && silent.message.contains("Say why"))
            let reply = try await bench.ask(.archive, ["filter": filter, "reason": .string("Test orders.")])
            #expect(reply.state == "done" && reply.letters == 2)
            #expect(try await bench.letters("archived") == 2)
            let audit = "SELECT count(*) FROM dead_letters.history WHERE step = 'archived' AND who = 'lan'"
            #expect(try await bench.number(audit + " AND why = 'Test orders.'") == 2)
            let again = try await bench.ask(.archive, ["filter": filter, "reason": .string("Again.")])
            #expect(again.state == "refused")
            let job = try await bench.replay()
            #expect(try await bench.reaches("done", job))
            #expect(bench.victim.calls == [2])
        }
    }
}
