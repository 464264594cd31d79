import ArgumentParser
import Foundation
import Settings

/// `stockbridge explain`.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Why a number is what it is, and what happened to an order.",
        discussion: """
            EXAMPLES:
              stockbridge explain stock hanoi ABC-123                    by SKU, listing id or ERP code
              stockbridge explain stock hanoi ABC-123 --at "07:30"       as it was then
              stockbridge explain order hanoi 10231                      by its number or the platform's id
            """,
        subcommands: [ExplainStock.self, ExplainOrder.self])
}

/// `stockbridge explain stock`.
struct ExplainStock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stock", abstract: "From the file's line to the shop's answer.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The shop.")
    var shop: String

    @Argument(help: "The shop's SKU, the listing's id, or the ERP's code.")
    var sku: String

    @Option(name: .long, help: "An earlier time, such as 07:30 or '2026-11-20 18:00'.")
    var at: String?

    func run() async throws {
        let configuration = try global.load()
        try Known.shop(shop, in: configuration)
        let past = try at.map { try TimeArgument.parse($0, timeZone: configuration.timeZone, now: OperatorClock.now) }
        let explanation = try await OperatorDatabase.with(configuration) { database in
            try await ExplainStore(database: database).explain(shop: shop, key: sku, past: past)
        }
        guard let explanation else {
            throw ToolError.failed(
                "Shop \(shop) lists nothing with the SKU, listing id or ERP code '\(sku)'. "
                    + "'stockbridge mapping list --shop \(shop)' shows what it lists.")
        }
        let wording = Wording(timeZone: configuration.timeZone)
        try global.print(
            explanation, text: ExplanationText(explanation: explanation, wording: wording, style: Console.style).text)
    }
}
