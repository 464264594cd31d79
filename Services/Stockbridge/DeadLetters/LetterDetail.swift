import Contracts
import DeadLetters
import Foundation

/// Everything about one letter. Holds its body, and so personal data.
struct LetterDetail: Sendable, Encodable {
    var letter: LetterLine
    /// The message's id; of a message without one its digest.
    var identity: String
    var dataSchema: String?
    var subject: String?
    var correlation: String?
    var firstFailedAt: Date?
    var archivedAt: Date
    var stateAt: Date
    var job: UUID?
    /// How many items it is about; ``letter`` names the first of them.
    var itemCount: Int
    var properties: KeptProperties?
    var body: ShownBody
    /// What a replay sends instead.
    var editedBody: ShownBody?
    var history: [LetterStep]
    /// What a replay would do now.
    var forecast: ReplayForecast?

    mutating func cutBodies() {
        body.cut(to: ShownBody.shownCharacters)
        editedBody?.cut(to: ShownBody.shownCharacters)
    }
}

/// A body as it can be shown on a terminal, whatever its bytes are.
struct ShownBody: Sendable, Encodable, Equatable {
    /// So much is shown without `--full`.
    static let shownCharacters = 4_096
    /// So many lines, so that what else there is about a letter stays on the screen.
    static let shownLines = 30

    enum Form: String, Sendable, Encodable {
        case json, text, hex
    }

    var form: Form
    var bytes: Int
    var content: String
    /// Whether ``content`` is not all of it.
    var isCut = false

    /// JSON is indented, other text is shown as it is except for control characters, the rest as hexadecimal digits.
    init(_ body: [UInt8]) {
        bytes = body.count
        if let pretty = Self.pretty(body) {
            (form, content) = (.json, pretty)
        } else if let text = String(validating: body, as: UTF8.self) {
            (form, content) = (.text, Self.harmless(text))
        } else {
            (form, content) = (.hex, Self.hexadecimal(body))
        }
    }

    mutating func cut(to characters: Int) {
        let lines = content.split(separator: "\n", maxSplits: Self.shownLines, omittingEmptySubsequences: false)
        let shown = lines.prefix(Self.shownLines).joined(separator: "\n").prefix(characters)
        guard shown.utf8.count < content.utf8.count else { return }
        (content, isCut) = (String(shown), true)
    }

    /// The body indented if it is JSON. A number keeps its value but maybe not its digits (1.50 is shown as 1.5).
    static func pretty(_ body: [UInt8]) -> String? {
        guard let value = try? ContractCoding.decode(JSONValue.self, from: body) else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { harmless(String(decoding: $0, as: UTF8.self)) }
    }

    /// Without what would move a terminal's cursor or change its colours.
    static func harmless(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.value < 0x20 && scalar != "\n" && scalar != "\t"
                    return isControl || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar
                }))
    }

    private static func hexadecimal(_ body: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        // Beyond that nobody reads digits.
        let shown = body.prefix(65_536)
        var text: [UInt8] = []
        text.reserveCapacity(shown.count * 3)
        for (index, byte) in shown.enumerated() {
            if index > 0 { text.append(index % 32 == 0 ? 0x0A : 0x20) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
