import ArgumentParser
import Contracts
import Foundation
import Settings

/// `stockbridge orders`.
struct OrdersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders", abstract: "The shops' orders: what is kept back from the ERP, and why.",
        discussion: """
            EXAMPLES:
              stockbridge orders list --held
              stockbridge orders list --shop hanoi --limit 20
              stockbridge orders release hanoi 10231 --reason "the customer confirmed by phone"
              stockbridge orders resend hanoi 10231 --reason "the ERP lost it"
            """,
        subcommands: [OrdersList.self, OrdersRelease.self, OrdersResend.self])
}

/// `stockbridge orders list`.
struct OrdersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Orders, the newest first.")

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "The shop; all if left out.")
    var shop: String?

    @Flag(name: .long, help: "Only those that are kept back from the ERP, the oldest first.")
    var held = false

    @Option(name: .long, help: "How many.")
    var limit = 50

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit is from 1 to 10000.") }
    }

    func run() async throws {
        let configuration = try global.load()
        if let shop { try Known.shop(shop, in: configuration) }
        let orders = try await OperatorDatabase.with(configuration) { database in
            try await OrderStore(database: database).list(shop: shop, heldOnly: held, limit: limit)
        }
        let wording = Wording(timeZone: configuration.timeZone)
        try global.print(
            orders, text: OrderListText(orders: orders, heldOnly: held, wording: wording, style: Console.style).text)
        // Somebody has to look at what is kept back.
        if held && !orders.isEmpty { throw ExitStatus.attention }
    }
}

/// A command about one order.
struct OrderOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The shop.")
    var shop: String

    @Argument(help: "The order's number, or the platform's id of it.")
    var order: String

    @Option(name: .long, help: "Why; kept in the audit.")
    var reason: String

    func validate() throws {
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something.") }
    }

    /// Finds the order, submits the command and says what became of it.
    func command(_ service: ServiceName, _ verb: Command.Verb) async throws {
        let configuration = try global.load()
        try Known.shop(shop, in: configuration)
        let found = try await OperatorDatabase.with(configuration) { database in
            try await OrderStore(database: database).reference(shop: shop, order: order)
        }
        guard let found else { throw OrderStore.unknown(shop: shop, order: order) }
        try await global.command(
            service, verb, ["order": .string(found), "reason": .string(reason)], reason: reason,
            waitSeconds: waiting.wait)
    }
}

/// `stockbridge orders release`.
struct OrdersRelease: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Let a held order go to the ERP although what holds it stands.")

    @OptionGroup var options: OrderOptions

    func run() async throws { try await options.command(.orderCollector, .release) }
}

/// `stockbridge orders resend`.
struct OrdersResend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resend", abstract: "Put an order into the next report although it was sent before.")

    @OptionGroup var options: OrderOptions

    func run() async throws { try await options.command(.erpBridge, .resendOrder) }
}
