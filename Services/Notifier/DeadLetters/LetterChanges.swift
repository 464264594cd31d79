import Contracts
import Crypto
import DeadLetters
import Foundation
import Messaging
import PostgreSQL

/// What a person does to dead letters without sending them.
enum LetterChanges {
    /// The letters that a command names.
    ///
    /// - Throws: ``CommandRefusal`` if there is no filter or it cannot be read.
    static func filter(_ arguments: [String: JSONValue]) throws -> LetterFilter {
        guard case .object(let fields)? = arguments["filter"] else {
            throw CommandRefusal("The command does not say which letters it means (filter); nothing was changed.")
        }
        do {
            return try ContractCoding.decode(LetterFilter.self, from: ContractCoding.encode(JSONValue.object(fields)))
        } catch {
            throw CommandRefusal("The filter cannot be read: \(error)")
        }
    }

    /// Closes letters that wait.
    static func archive(_ command: Command, in work: UnitOfWork) throws -> DeadLetterAnswer {
        let filter = try filter(command.arguments)
        let reason = try reason(command)
        let (condition, parameters) = filter.condition(from: 4)
        let letters = try work.transaction.execute(
            """
            WITH chosen AS (
                SELECT l.id FROM dead_letters.letters l WHERE (\(condition)) AND l.state = 'waiting'
                ORDER BY l.id FOR UPDATE
            ), moved AS (
                UPDATE dead_letters.letters l SET state = 'archived', state_at = $1::timestamptz
                FROM chosen WHERE chosen.id = l.id RETURNING l.id
            )
            INSERT INTO dead_letters.history (letter, at, step, who, why)
            SELECT id, $1::timestamptz, 'archived', $2, $3 FROM moved ORDER BY id
            """,
            [.timestamp(work.startedAt), .text(command.requestedBy), .text(reason)] + parameters)
        guard letters > 0 else {
            throw CommandRefusal("No dead letter that waits is among what was asked for; nothing was changed.")
        }
        let what = letters == 1 ? "1 dead letter is" : "\(letters) dead letters are"
        return DeadLetterAnswer(message: "\(what) archived.", letters: letters)
    }

    /// Replaces what a replay of one letter sends; its id, its envelope and the original body stay.
    static func edit(_ command: Command, in work: UnitOfWork) throws -> DeadLetterAnswer {
        guard let letter = command.arguments["letter"]?.integer, let text = command.arguments["body"]?.string else {
            throw CommandRefusal("An edit needs the number of a letter and its new body; nothing was changed.")
        }
        let reason = try reason(command)
        let rows = try work.transaction.query(
            """
            SELECT state, data_schema, body, coalesce(edited_body, body) AS present
            FROM dead_letters.letters WHERE id = $1 FOR UPDATE
            """, [.integer(letter)])
        guard let row = rows.first else {
            throw CommandRefusal("There is no dead letter \(letter); nothing was changed.")
        }
        let present: [UInt8] = try row.decode("present")
        let body = Array(text.utf8)
        try check(letter, row, present: present, expected: command.arguments["expected"]?.string ?? "", body: body)
        // Edited back to what it was: a replay sends the original.
        let isOriginal = body == (try row.decode("body", as: [UInt8].self))
        try work.transaction.execute(
            "UPDATE dead_letters.letters SET edited_body = $2 WHERE id = $1",
            [.integer(letter), isOriginal ? .null : .bytes(body)])
        try work.transaction.execute(
            """
            INSERT INTO dead_letters.history (letter, at, step, who, why, detail) VALUES ($1, $2, 'edited', $3, $4, $5)
            """,
            [
                .integer(letter), .timestamp(work.startedAt), .text(command.requestedBy), .text(reason),
                .text("\(present.count) bytes became \(body.count); SHA-256 now \(digest(body))."),
            ])
        return DeadLetterAnswer(
            message: "Letter \(letter) has a new body; a replay sends it under the same id. The original is kept.",
            letters: 1)
    }

    private static func check(
        _ letter: Int64, _ row: Row, present: [UInt8], expected: String, body: [UInt8]
    ) throws {
        let state: String = try row.decode("state")
        guard state == "waiting" else {
            throw CommandRefusal("Letter \(letter) does not wait (\(state)), so it cannot be edited.")
        }
        guard expected.lowercased() == digest(present) else {
            throw CommandRefusal(
                "The body of letter \(letter) is not the one that was edited: somebody changed it meanwhile. "
                    + "Nothing was changed; look at it again.")
        }
        guard body != present else {
            throw CommandRefusal("The new body of letter \(letter) is the present one; nothing was changed.")
        }
        guard let schema = try row.decode("data_schema", as: String?.self) else {
            throw CommandRefusal("Letter \(letter) does not say its schema, so a new body cannot be checked.")
        }
        do {
            _ = try PayloadCatalogue.read(dataSchema: schema, body: body)
        } catch {
            throw CommandRefusal("The new body of letter \(letter) breaks its schema and was not taken. \(error)")
        }
    }

    /// Why a person asks for it.
    static func reason(_ command: Command) throws -> String {
        let reason = (command.arguments["reason"]?.string ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard !reason.isEmpty else { throw CommandRefusal("Say why (reason); nothing was changed.") }
        return String(reason.prefix(1_000))
    }

    /// SHA-256 in lower-case hexadecimal.
    static func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).hexadecimal
    }
}
