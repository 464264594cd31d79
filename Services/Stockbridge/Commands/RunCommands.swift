import ArgumentParser
import Contracts
import Domain
import Foundation
import Settings

/// How long a command waits for its answer.
struct WaitOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("How long to wait for the service's answer.", valueName: "seconds"))
    var wait: Double = 30

    func validate() throws {
        guard wait >= 0 else { throw ValidationError("--wait takes a number of seconds, 0 or more.") }
    }
}

/// `stockbridge run`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Do now what a schedule does otherwise.",
        discussion: """
            EXAMPLES:
              stockbridge run stock                      fetch the stock file of every source now
              stockbridge run stock --dry-run            read and judge it, let nothing go live
              stockbridge run catalogue --shop hanoi     read what a shop sells
              stockbridge run push --shop hanoi          push again all that is due, refused listings included
              stockbridge run orders --shop hanoi        collect the shop's orders now
              stockbridge run report --dry-run           what the next order reports would hold
              stockbridge run reconciliation             read all shops back and mail the result
            """,
        subcommands: [
            RunStock.self, RunCatalogue.self, RunPush.self, RunOrders.self, RunReport.self, RunReconciliation.self,
            RunAnswer.self,
        ])
}

/// `stockbridge run stock`.
struct RunStock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stock", abstract: "Fetch stock from a source, or from all.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Option(name: .long, help: "The source; all if left out.")
    var source: String?

    @Flag(name: .long, help: "Read and judge the file, and let nothing go live.")
    var dryRun = false

    func run() async throws {
        let configuration = try global.load()
        if let source { try Known.source(source, in: configuration) }
        var arguments: [String: JSONValue] = [:]
        if let source { arguments["source"] = .string(source) }
        if dryRun { arguments["dry_run"] = .boolean(true) }
        try await global.command(.stockIngestor, .run, arguments, waitSeconds: waiting.wait)
    }
}

/// A command that is about one shop or about all.
struct ShopOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Option(name: .long, help: "The shop; all if left out.")
    var shop: String?

    /// Checks the shop's name, submits the command and says what became of it.
    func command(
        _ service: ServiceName, _ verb: Command.Verb, _ more: [String: JSONValue] = [:]
    ) async throws {
        let configuration = try global.load()
        var arguments = more
        if let shop {
            try Known.shop(shop, in: configuration)
            arguments["shop"] = .string(shop)
        }
        try await global.command(service, verb, arguments, waitSeconds: waiting.wait)
    }
}

/// `stockbridge run catalogue`.
struct RunCatalogue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "Read the catalogue of a shop, or of all.")

    @OptionGroup var options: ShopOptions

    func run() async throws { try await options.command(.stockPublisher, .catalogue) }
}

/// `stockbridge run push`.
struct RunPush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Push again all that is due, what the shop refused included.")

    @OptionGroup var options: ShopOptions

    func run() async throws { try await options.command(.stockPublisher, .run) }
}

/// `stockbridge run orders`.
struct RunOrders: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders", abstract: "Collect the orders of a shop, or of all.")

    @OptionGroup var options: ShopOptions

    @Flag(name: .long, help: "Compare the last days with the shop, and fetch what differs.")
    var repair = false

    func run() async throws { try await options.command(.orderCollector, repair ? .repair : .run) }
}

/// `stockbridge run report`.
struct RunReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Make the order report of a shop, or of all, and send it to the ERP.")

    @OptionGroup var options: ShopOptions

    @Flag(name: .long, help: "Say what would stand in it; make and send nothing.")
    var dryRun = false

    func run() async throws {
        try await options.command(.erpBridge, .run, dryRun ? ["dry_run": .boolean(true)] : [:])
    }
}

/// `stockbridge run reconciliation`.
struct RunReconciliation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconciliation", abstract: "Read a shop back, or all, and compare with what they should show.")

    @OptionGroup var options: ShopOptions

    func run() async throws { try await options.command(.reconciler, .run) }
}

/// `stockbridge run answer`.
struct RunAnswer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Show the answer to a command that was still queued.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The command's id.")
    var id: String

    func run() async throws {
        guard let uuid = UUID(uuidString: id) else { throw ToolError.usage("'\(id)' is not the id of a command.") }
        let configuration = try global.load()
        let result = try await OperatorDatabase.with(configuration) { database in
            try await CommandDesk(configuration, database).storedAnswer(to: uuid)
        }
        guard let result else { throw ToolError.failed("The command \(id) has no answer yet, or does not exist.") }
        try result.finish(global)
    }
}

/// Names that the configuration has.
enum Known {
    static func shop(_ name: String, in configuration: StockbridgeConfiguration) throws {
        let names = configuration.shops.map(\.name.rawValue)
        guard !names.contains(name) else { return }
        throw ToolError.usage(
            "There is no shop '\(name)' in the configuration; there are \(names.joined(separator: ", ")).")
    }

    static func source(_ name: String, in configuration: StockbridgeConfiguration) throws {
        let names = configuration.sources.map(\.name.rawValue)
        guard !names.contains(name) else { return }
        throw ToolError.usage(
            "There is no source '\(name)' in the configuration; there are \(names.joined(separator: ", ")).")
    }
}
