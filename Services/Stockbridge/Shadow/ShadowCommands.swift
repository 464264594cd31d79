import ArgumentParser
import Contracts
import Foundation
import Settings

/// `stockbridge shadow`.
struct ShadowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shadow", abstract: "Compute and compare without writing, or let a shop be written to.",
        discussion: """
            A new shop is in shadow until an operator lets it go.

            EXAMPLES:
              stockbridge shadow show hanoi     how much would change, and the biggest differences
              stockbridge shadow off hanoi      write to it from now on
              stockbridge shadow on hanoi       stop writing to it
            """,
        subcommands: [ShadowShow.self, ShadowOn.self, ShadowOff.self])
}

/// `stockbridge shadow show`.
struct ShadowShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "What would change at a shop.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The shop.")
    var shop: String

    @Option(name: .long, help: "How many differences to show.")
    var limit = 10

    func run() async throws {
        let configuration = try global.load()
        try Known.shop(shop, in: configuration)
        let report = try await OperatorDatabase.with(configuration) { database in
            try await ShadowStore(database: database).report(of: shop, limit: limit)
        }
        guard let report else {
            throw ToolError.failed(
                "stock-publisher has not seen the shop '\(shop)' yet; start it with this configuration.")
        }
        let wording = Wording(timeZone: configuration.timeZone)
        try global.print(report, text: report.text(Console.style, wording, now: OperatorClock.now))
    }
}

/// `stockbridge shadow on`.
struct ShadowOn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "on", abstract: "Stop writing to a shop; levels are still worked out.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The shop.")
    var shop: String

    @Flag(name: .long, help: "Accepted for scripts; nothing is asked.")
    var yes = false

    func run() async throws {
        try Known.shop(shop, in: try global.load())
        try await global.command(.stockPublisher, .shadowOn, ["shop": .string(shop)], waitSeconds: waiting.wait)
    }
}

/// `stockbridge shadow off`.
struct ShadowOff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "off", abstract: "Let a shop be written to; asks first.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The shop.")
    var shop: String

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func run() async throws {
        let configuration = try global.load()
        try Known.shop(shop, in: configuration)
        if !yes {
            let report = try await OperatorDatabase.with(configuration) { database in
                try await ShadowStore(database: database).report(of: shop, limit: 0)
            }
            let changes = report.map {
                "\(Wording.count($0.wouldChange, "listing")) would change, "
                    + "\(Wording.grouped($0.wouldGoToZero)) to zero. "
            }
            try Console.confirm("\(changes ?? "")Write to the shop \(shop) from now on?", yes: false)
        }
        try await global.command(.stockPublisher, .shadowOff, ["shop": .string(shop)], waitSeconds: waiting.wait)
    }
}
