import ArgumentParser
import Contracts
import DeadLetters
import Foundation
import Settings

/// `stockbridge dead-letters archive`.
struct LettersArchive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Close dead letters without sending them again; they are kept.",
        discussion: """
            EXAMPLES:
              stockbridge dead-letters archive 18 19 --reason "test data"
              stockbridge dead-letters archive --fingerprint 'reconciler|order.created|payload.invalid' \\
                  --reason "superseded by the nightly repair" --yes
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var letters: LetterOptions

    @Option(name: .long, help: "Why; kept with each letter and in the audit.")
    var reason: String

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func validate() throws {
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let frozen = try await OperatorDatabase.with(configuration) { database in
            try await FrozenLetters(letters, configuration, database)
        }
        if !global.json { Console.write(frozen.text(Console.style)) }
        try Console.confirm(
            "Archive \(Wording.count(frozen.found.count, "letter")) without sending \(frozen.them) again?", yes: yes)
        let result = try await OperatorDatabase.with(configuration) { database in
            try await LetterDesk(configuration, database).submit(
                .archive, ["filter": try frozen.json, "reason": .string(reason)], reason: reason,
                waitSeconds: waiting.wait)
        }
        try result.finish(global)
    }
}

/// The letters that a person has seen and decides about: what fails afterwards is not among them.
struct FrozenLetters: Sendable {
    private static let shownGroups = 8

    let filter: LetterFilter
    let found: LetterSet
    let groups: [LetterGroup]

    /// - Throws: ``ToolError`` if no letter that waits is meant, or one of the ids does not exist.
    init(
        _ letters: LetterOptions, _ configuration: StockbridgeConfiguration,
        _ database: OperatorDatabase
    ) async throws {
        let store = LetterReader(database: database)
        try await store.require(letters.ids)
        var filter = try await letters.filter(configuration, database, state: "waiting")
        let found = try await store.set(filter)
        guard found.count > 0 else { throw NothingMeant.error }
        filter.upTo = found.newest
        (self.filter, self.found) = (filter, found)
        groups = try await store.groups(filter)
    }

    var them: String { found.count == 1 ? "it" : "them" }

    /// The filter as a command's argument.
    var json: JSONValue {
        get throws { try ContractCoding.decode(JSONValue.self, from: ContractCoding.encode(filter)) }
    }

    /// How many of which kinds.
    func text(_ style: TextStyle) -> String {
        var table = TextTable([("letters", .right), ("service", .left), ("topic", .left), ("error", .left)])
        for group in groups.prefix(Self.shownGroups) {
            table.add([Wording.grouped(group.letters), group.service, group.topic ?? "-", group.errorCode])
        }
        let more = groups.count - Self.shownGroups
        return table.text(style: style)
            + (more > 0 ? "\n  and \(Wording.count(more, "more kind", "more kinds"))" : "")
    }
}
