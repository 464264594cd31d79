import ArgumentParser
import Contracts
import Crypto
import Foundation
import Settings

/// A letter's present body and what an edit of it has to keep.
struct EditableLetter: Sendable {
    var id: Int64
    var state: String
    var dataSchema: String?
    var body: [UInt8]

    /// SHA-256 of the body in lower-case hexadecimal: notifier refuses the edit if somebody else was faster.
    var digest: String { SHA256.hash(data: body).hexadecimal }

    /// - Throws: ``ToolError`` unless it may be edited now.
    func requireWaiting() throws {
        guard state != "waiting" else { return }
        throw ToolError.failed(
            "Letter \(id) is \(state); only letters that wait can be edited. Nothing was changed.")
    }

    /// The new body, if a replay of it can succeed.
    ///
    /// - Throws: ``ToolError`` if it breaks the schema, is no text or is the old one.
    func checked(_ new: [UInt8]) throws -> String {
        guard new != body else {
            throw ToolError.failed("The body of letter \(id) would stay as it is. Nothing was changed.")
        }
        guard let text = String(validating: new, as: UTF8.self) else {
            throw ToolError.usage("The new body is not UTF-8 text. Nothing was changed.")
        }
        guard let dataSchema else {
            throw ToolError.failed(
                "Letter \(id) does not say its schema, so no service would take it whatever its body; archive it. "
                    + "Nothing was changed.")
        }
        do throws(PayloadProblem) {
            _ = try PayloadCatalogue.read(dataSchema: dataSchema, body: new)
        } catch {
            throw ToolError.usage("The new body is not of \(dataSchema): \(error) Nothing was changed.")
        }
        return text
    }

    /// Where the new body differs; a body that is not JSON differs as a whole.
    func differences(from new: [UInt8]) -> [JSONDifference] {
        func value(_ bytes: [UInt8]) -> JSONValue {
            (try? ContractCoding.decode(JSONValue.self, from: bytes)) ?? .string(ShownBody(bytes).content)
        }
        return JSONDifference.between(value(body), value(new))
    }

    /// The body with these places replaced.
    ///
    /// - Throws: ``ToolError`` if it is not JSON or has no such place.
    func setting(_ assignments: [JSONAssignment]) throws -> [UInt8] {
        guard let value = try? ContractCoding.decode(JSONValue.self, from: body) else {
            throw ToolError.failed(
                "The body of letter \(id) is not JSON, so --set finds nothing in it; replace it with --body FILE. "
                    + "Nothing was changed.")
        }
        return try ContractCoding.encode(assignments.reduce(value) { try $1.applied(to: $0) })
    }
}

/// `stockbridge dead-letters edit`.
struct LettersEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Replace the body that a replay sends; the original is kept.",
        discussion: """
            Without --set and --body it opens $EDITOR. Shows what differs and checks the schema before it asks.

            EXAMPLES:
              stockbridge dead-letters edit 17 --set lines.0.quantity='"3"' --reason "typing error"
              stockbridge dead-letters edit 17 --body mended.json --reason "as the shop confirmed" --yes
              stockbridge dead-letters edit 17 --reason "wrong SKU"
            """)

    private struct Answer: Encodable {
        var command: CommandResult
        var differences: [JSONDifference]
    }

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The letter's id, as 'list' shows it.")
    var letter: Int64

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("A new value for one place of the body; may be repeated.", valueName: "path=JSON"))
    var set: [String] = []

    @Option(name: .long, help: ArgumentHelp("The whole new body; - reads standard input.", valueName: "file"))
    var body: String?

    @Option(name: .long, help: "Why; kept with the letter and in the audit.")
    var reason: String

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func validate() throws {
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something.") }
        guard set.isEmpty || body == nil else { throw ValidationError("Say --set or --body, not both.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let assignments = try set.map { try JSONAssignment($0) }
        let old = try await OperatorDatabase.with(configuration) { database in
            try await LetterReader(database: database).body(of: letter)
        }
        try old.requireWaiting()
        let new = try newBody(of: old, assignments)
        let text = try old.checked(new)
        let differences = old.differences(from: new)
        if !global.json { Console.write(Self.text(differences, of: old.id, Console.style)) }
        try Console.confirm("Let a replay of letter \(letter) send this body?", yes: yes)
        let result = try await OperatorDatabase.with(configuration) { database in
            try await LetterDesk(configuration, database).submit(
                .edit,
                [
                    "letter": .integer(letter), "body": .string(text), "expected": .string(old.digest),
                    "reason": .string(reason),
                ], reason: reason, waitSeconds: waiting.wait)
        }
        guard global.json else { return try result.finish(global) }
        Console.write(try JSONText.of(Answer(command: result, differences: differences)))
        try result.requireDone()
    }

    static func text(_ differences: [JSONDifference], of letter: Int64, _ style: TextStyle) -> String {
        guard !differences.isEmpty else { return "Letter \(letter): the same values, written differently." }
        return "Letter \(letter) differs in \(Wording.count(differences.count, "place")):\n"
            + JSONDifference.text(differences, style: style)
    }

    private func newBody(of old: EditableLetter, _ assignments: [JSONAssignment]) throws -> [UInt8] {
        if !assignments.isEmpty { return try old.setting(assignments) }
        switch body {
        case "-": return [UInt8](FileHandle.standardInput.readDataToEndOfFile())
        case let file?:
            guard let bytes = FileManager.default.contents(atPath: file) else {
                throw ToolError.usage("\(file) cannot be read. Nothing was changed.")
            }
            return [UInt8](bytes)
        case nil:
            guard isatty(STDIN_FILENO) == 1, Console.isTerminal else {
                throw ToolError.usage("Nobody is there to edit: say --set PATH=JSON or --body FILE.")
            }
            return try TextEditor.edit(old.body, name: "letter-\(old.id)")
        }
    }
}

/// The person's own editor.
enum TextEditor {
    /// Opens a file only this user can read, in a directory only this user can enter, and removes both: bodies hold
    /// personal data, and editors leave copies beside the file.
    static func edit(_ body: [UInt8], name: String) throws -> [UInt8] {
        let pretty = ShownBody.editable(body)
        var template = Array((NSTemporaryDirectory() + "/stockbridge-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ToolError.failed("No temporary directory could be made. Nothing was changed.")
        }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = directory + "/\(name).json"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ToolError.failed("The temporary file could not be made. Nothing was changed.")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(pretty))
        try handle.close()
        let environment = ProcessInfo.processInfo.environment
        let editor = environment["VISUAL"] ?? environment["EDITOR"] ?? "vi"
        let status = system("\(editor) '\(file.replacing("'", with: "'\\''"))'")
        guard status == 0, let edited = FileManager.default.contents(atPath: file) else {
            throw ToolError.failed("The editor '\(editor)' did not end well. Nothing was changed.")
        }
        return Data(pretty) == edited ? body : compact([UInt8](edited))
    }

    /// As it is sent: what was indented for the editor is not sent indented.
    private static func compact(_ body: [UInt8]) -> [UInt8] {
        guard let value = try? ContractCoding.decode(JSONValue.self, from: body) else { return body }
        return (try? ContractCoding.encode(value)) ?? body
    }
}

extension ShownBody {
    /// Indented if it is JSON, else as it is.
    static func editable(_ body: [UInt8]) -> [UInt8] { pretty(body).map { Array(($0 + "\n").utf8) } ?? body }
}
