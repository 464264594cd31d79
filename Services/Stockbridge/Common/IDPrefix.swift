import Foundation
import PostgreSQL

/// An id, or its first characters as lists show them.
struct IDPrefix: Sendable {
    let text: String

    /// - Throws: ``ToolError/usage(_:)`` unless it is four or more digits of a UUID.
    init(_ text: String, of what: String) throws {
        let lowered = text.lowercased()
        guard lowered.count >= 4, lowered.allSatisfy({ $0.isHexDigit || $0 == "-" }) else {
            throw ToolError.usage("'\(text)' is not the id of a \(what); four or more of its characters are enough.")
        }
        self.text = lowered
    }

    /// The one id among those found.
    func only(_ rows: Rows, of what: String, list: String) throws -> UUID {
        guard let row = rows.first else {
            throw ToolError.failed("There is no \(what) \(text); '\(list)' shows which there are.")
        }
        guard rows.count == 1 else {
            throw ToolError.usage("Several of a kind begin with \(text): say more characters of the id of the \(what).")
        }
        return try row.decode("id")
    }
}
