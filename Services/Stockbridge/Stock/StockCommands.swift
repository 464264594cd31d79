import ArgumentParser
import Contracts
import Foundation
import Settings

/// `stockbridge stock`.
struct StockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stock", abstract: "Snapshots of the sources, holds, and listings that are not as wanted.",
        discussion: """
            EXAMPLES:
              stockbridge stock list
              stockbridge stock show 4f1c                                  why it is held, and its bad rows
              stockbridge stock accept 4f1c --reason "stock-take on Friday"
              stockbridge stock reject 4f1c --reason "sent by mistake"
              stockbridge stock hold add ABC-123 12 --reason "damaged" --until 3d
              stockbridge stock problems hanoi                             what waits, was refused or failed, and why
            """,
        subcommands: [
            StockList.self, StockShow.self, StockAccept.self, StockReject.self, StockHold.self, StockProblems.self,
            StockRelease.self,
        ])
}

/// `stockbridge stock list`.
struct StockList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The snapshots of the sources, newest first.")

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Only of this source.")
    var source: String?

    @Flag(name: .long, help: "Only those that wait for a decision.")
    var held = false

    @Option(name: .long, help: "How many.")
    var limit = 20

    func run() async throws {
        let configuration = try global.load()
        if let source { try Known.source(source, in: configuration) }
        let list = try await OperatorDatabase.with(configuration) { database in
            try await SnapshotStore(database: database).list(source: source, heldOnly: held, limit: limit)
        }
        let wording = Wording(timeZone: configuration.timeZone)
        try global.print(
            ["snapshots": list],
            text: SnapshotText(wording: wording, style: Console.style, now: OperatorClock.now).list(list))
    }
}

/// `stockbridge stock show`.
struct StockShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One snapshot: its accounts, why it is held, its bad rows.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The snapshot's id, or its first characters.")
    var snapshot: String

    @Option(name: .long, help: "How many of the rows that were set aside.")
    var rows = 20

    func run() async throws {
        let configuration = try global.load()
        let prefix = try IDPrefix(snapshot, of: "snapshot")
        let detail = try await OperatorDatabase.with(configuration) { database in
            try await SnapshotStore(database: database).detail(prefix, rows: rows)
        }
        let wording = Wording(timeZone: configuration.timeZone)
        try global.print(
            detail, text: SnapshotText(wording: wording, style: Console.style, now: OperatorClock.now).detail(detail))
    }
}

/// What accept and reject take.
struct DecisionOptions: ParsableArguments {
    @Argument(help: "The snapshot's id, or its first characters.")
    var snapshot: String

    @Option(name: .long, help: "Why; kept with the snapshot and in the audit.")
    var reason: String

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func validate() throws {
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something.") }
    }

    /// Finds the snapshot, asks if `question` is given, and sends the verb.
    func decide(
        _ verb: Command.Verb, _ global: GlobalOptions, waitSeconds: Double,
        question: (SnapshotSummary) -> String?
    ) async throws {
        let configuration = try global.load()
        let prefix = try IDPrefix(snapshot, of: "snapshot")
        let summary = try await OperatorDatabase.with(configuration) { database in
            try await SnapshotStore(database: database).detail(prefix, rows: 0).snapshot
        }
        if let question = question(summary) { try Console.confirm(question, yes: yes) }
        try await global.command(
            .stockIngestor, verb,
            ["snapshot": .string(summary.id.uuidString.lowercased()), "reason": .string(reason)], reason: reason,
            waitSeconds: waitSeconds)
    }
}

/// `stockbridge stock accept`.
struct StockAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Let a held snapshot go live. Asks on a terminal unless --yes.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var decision: DecisionOptions
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
        try await decision.decide(.accept, global, waitSeconds: waiting.wait) { snapshot in
            // A script that gives a reason has decided; a person sees once more what was decided.
            guard Console.isTerminal else { return nil }
            let reasons = snapshot.reasons.joined(separator: " ")
            return "\(snapshot.file) (\(Wording.count(snapshot.skus, "SKU"))) is held: \(reasons) Let it go live?"
        }
    }
}

/// `stockbridge stock reject`.
struct StockReject: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject", abstract: "Keep a held snapshot from going live; its file is kept.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var decision: DecisionOptions
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
        try await decision.decide(.reject, global, waitSeconds: waiting.wait) { _ in nil }
    }
}

/// `stockbridge stock problems`.
struct StockProblems: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "problems", abstract: "The listings of a shop that are not as wanted, and why.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The shop.")
    var shop: String

    @Option(name: .long, help: "How many.")
    var limit = 50

    func run() async throws {
        let configuration = try global.load()
        try Known.shop(shop, in: configuration)
        let list = try await OperatorDatabase.with(configuration) { database in
            try await ProblemStore(database: database).problems(of: shop, limit: limit)
        }
        try global.print(["problems": list], text: ProblemListing.text(list, shop: shop, style: Console.style))
    }
}

/// `stockbridge stock release`.
struct StockRelease: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Let a listing go on that was held after too many mismatches.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The shop.")
    var shop: String

    @Argument(help: "The listing's id at the shop.")
    var listing: String

    func run() async throws {
        try Known.shop(shop, in: try global.load())
        try await global.command(
            .stockPublisher, .release, ["shop": .string(shop), "listing": .string(listing)], waitSeconds: waiting.wait)
    }
}
