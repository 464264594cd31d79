import ArgumentParser
import DeadLetters
import Foundation
import Settings

/// `stockbridge dead-letters`.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Messages that failed for good: find, understand, mend, send again.",
        discussion: """
            EXAMPLES:
              stockbridge dead-letters groups         what failed, by kind of error
              stockbridge dead-letters list --shop hanoi --since 2h
              stockbridge dead-letters show 17        why, and what a replay would do
              stockbridge dead-letters edit 17 --set 'seen=3' --reason "typing error"
              stockbridge dead-letters replay --shop hanoi --dry-run
              stockbridge dead-letters replay --shop hanoi --canary 10 --rate 50/s \\
                  --reason "hanoi is mended"
              stockbridge dead-letters jobs           how replays are getting on
              stockbridge dead-letters archive 18 19 --reason "test data"
            """,
        subcommands: [
            LettersList.self, LettersGroups.self, LettersShow.self, LettersEdit.self, LettersArchive.self,
            LettersReplay.self, JobsCommand.self, LettersDrain.self,
        ])
}

/// `stockbridge dead-letters list`.
struct LettersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Dead letters, the newest first. Shows no bodies.",
        discussion: """
            EXAMPLES:
              stockbridge dead-letters list
              stockbridge dead-letters list --shop hanoi --sku ABC-123 --since 2h
              stockbridge dead-letters list --order hanoi:10231 --state all
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var letters: LetterOptions
    @OptionGroup var state: LetterStateOptions

    @Option(name: .long, help: "How many.")
    var limit = 50

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit is from 1 to 10000.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let (filter, page) = try await OperatorDatabase.with(configuration) { database in
            let reader = LetterReader(database: database)
            try await reader.require(letters.ids)
            let filter = try await letters.filter(configuration, database, state: state.filtered)
            return (filter, try await reader.page(filter, limit: limit))
        }
        let text = LetterListText(
            page: page, wording: Wording(timeZone: configuration.timeZone), style: Console.style,
            now: OperatorClock.now, width: Console.width,
            reachesBack: state.meansSettled && filter.reachesBeyond(page, now: OperatorClock.now))
        try global.print(page, text: text.text)
    }
}

/// `stockbridge dead-letters groups`.
struct LettersGroups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "What failed, by kind of error, the most frequent first.",
        discussion: """
            EXAMPLES:
              stockbridge dead-letters groups
              stockbridge dead-letters groups --service stock-publisher --since 06:00
            """)

    private struct Answer: Encodable {
        var letters: Int
        var groups: [LetterGroup]
    }

    @OptionGroup var global: GlobalOptions
    @OptionGroup var letters: LetterOptions
    @OptionGroup var state: LetterStateOptions

    func run() async throws {
        let configuration = try global.load()
        let groups = try await OperatorDatabase.with(configuration) { database in
            let reader = LetterReader(database: database)
            try await reader.require(letters.ids)
            let filter = try await letters.filter(configuration, database, state: state.filtered)
            return try await reader.groups(filter)
        }
        let text = LetterGroupsText(
            groups: groups, wording: Wording(timeZone: configuration.timeZone), style: Console.style,
            now: OperatorClock.now, width: Console.width)
        try global.print(
            Answer(letters: groups.reduce(0) { $0 + $1.letters }, groups: groups), text: text.text)
    }
}

/// `stockbridge dead-letters show`.
struct LettersShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Everything about one dead letter, its body included.",
        discussion: """
            Shows the body, which may hold personal data: do not paste it into chats.

            EXAMPLES:
              stockbridge dead-letters show 17
              stockbridge dead-letters show 17 --full --json
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The letter's id, as 'list' shows it.")
    var letter: Int64

    @Flag(name: .long, help: "The whole body; without it at most 30 lines and 4 KB.")
    var full = false

    func run() async throws {
        let configuration = try global.load()
        var detail = try await OperatorDatabase.with(configuration) { database in
            var detail = try await LetterReader(database: database).detail(letter)
            guard detail.letter.state == "waiting" else { return detail }
            detail.forecast = try await ForecastStore(
                database: database, queues: ForecastStore.queues(of: configuration)
            ).forecast(letter)
            return detail
        }
        if !full { detail.cutBodies() }
        let text = LetterDetailText(
            detail: detail, wording: Wording(timeZone: configuration.timeZone), style: Console.style,
            now: OperatorClock.now)
        try global.print(detail, text: text.text)
    }
}
