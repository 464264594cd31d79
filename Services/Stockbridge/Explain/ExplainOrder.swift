import ArgumentParser
import Contracts
import Domain
import Foundation
import PostgreSQL
import Settings

/// `stockbridge explain order`.
struct ExplainOrder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "order", abstract: "Every revision, hold, batch and answer of an order.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The shop.")
    var shop: String

    @Argument(help: "The order's number, or the platform's id of it.")
    var order: String

    func run() async throws {
        let configuration = try global.load()
        try Known.shop(shop, in: configuration)
        let explanation = try await OperatorDatabase.with(configuration) { database in
            let found = try await OrderStore(database: database).reference(shop: shop, order: order)
            guard let reference = found.flatMap({ OrderReference($0) }) else {
                throw OrderStore.unknown(shop: shop, order: order)
            }
            return try await OrderExplanationStore(database: database).explain(reference)
        }
        guard let explanation else { throw OrderStore.unknown(shop: shop, order: order) }
        let text = OrderExplanationText(
            explanation: explanation, wording: Wording(timeZone: configuration.timeZone), style: Console.style)
        try global.print(explanation, text: text.text)
    }
}

/// What happened to an order, from its first revision to the ERP. Without personal data.
struct OrderExplanation: Sendable, Encodable {
    /// The facts of the shop at one revision, compared with those before.
    struct Revision: Sendable, Encodable {
        var revision: Int
        var updatedAt: Date
        var learntAt: Date
        /// `pass`, `webhook`, `repair`, `collect`.
        var via: String
        var shopStatus: String
        var payment: String
        var lines: Int
        var total: String
        /// What is different from the revision before, in words; empty for the first.
        var changes: [String]
    }

    struct Line: Sendable, Encodable {
        var line: String
        var sku: String?
        var listing: String?
        var quantity: String
        var erpCode: String?
        var erpQuantity: String
    }

    struct Happening: Sendable, Encodable {
        var at: Date
        var revision: Int
        var stateVersion: Int
        var what: String
        var detail: String
    }

    /// Where it stood in a batch.
    struct Batch: Sendable, Encodable {
        var batch: String
        /// `lines`, `changes`, `held`, `counted`.
        var place: String
        var revision: Int
        var sentAt: Date?
        var answer: String?
        var messageID: String?
    }

    /// One line of stock-publisher's: what the shops' levels still leave out for it.
    struct Reserved: Sendable, Encodable {
        var erpCode: String
        var quantity: String
        var reportSentAt: Date?
    }

    var shop: String
    var externalID: String
    var number: String
    var placedAt: Date
    var currency: String
    var state: String
    var cancellation: String?
    var holds: [String]
    var revisions: [Revision]
    var lines: [Line]
    var happenings: [Happening]
    var batches: [Batch]
    var reserved: [Reserved]
}
