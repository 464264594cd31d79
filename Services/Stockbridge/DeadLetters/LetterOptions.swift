import ArgumentParser
import Contracts
import DeadLetters
import Domain
import Foundation
import PostgreSQL
import Settings

/// Which letters are meant, in the words of the business.
struct LetterOptions: ParsableArguments {
    @Argument(help: "Letters by their ids; all that the options take if left out.")
    var ids: [Int64] = []

    @Option(name: .long, help: "The service that failed.")
    var service: String?

    @Option(name: .long, help: "The queue in which it failed.")
    var queue: String?

    @Option(name: .long, help: "The topic, or the kind of work.")
    var topic: String?

    @Option(name: .long, help: "The shop it is about.")
    var shop: String?

    @Option(name: .long, help: "The ERP's code or a shop's SKU that it is about.")
    var sku: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The order: SHOP:ID, or with --shop its number or the platform's id.", valueName: "order"))
    var order: String?

    @Option(name: .long, help: "The batch or source, as the ERP knows it.")
    var erp: String?

    @Option(name: .long, help: ArgumentHelp("The error's code, or a part of its sentence.", valueName: "text"))
    var error: String?

    @Option(name: .long, help: "The kind of error, as 'groups' shows it.")
    var fingerprint: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Failed then or later: 06:00, '2026-11-30 18:00', or 90m, 2h, 3d ago.", valueName: "time"))
    var since: String?

    @Option(name: .long, help: ArgumentHelp("Failed before then.", valueName: "time"))
    var until: String?

    func validate() throws {
        if let service { try Self.requireService(service) }
        if let order, shop == nil, OrderReference(order) == nil {
            throw ValidationError("--order takes SHOP:ID, or the order's number or id together with --shop.")
        }
        for (name, value) in [("queue", queue), ("topic", topic), ("sku", sku), ("erp", erp), ("error", error)] {
            if let value, value.allSatisfy(\.isWhitespace) { throw ValidationError("--\(name) must say something.") }
        }
    }

    static func requireService(_ name: String) throws {
        let names = ServiceName.allCases.filter { $0 != .stockbridge }.map(\.rawValue)
        guard !names.contains(name) else { return }
        throw ValidationError("There is no service '\(name)'; there are \(names.joined(separator: ", ")).")
    }

    /// The letters in a state that the options mean; SKUs and order numbers are looked up.
    func filter(
        _ configuration: StockbridgeConfiguration, _ database: OperatorDatabase, state: String?
    ) async throws -> LetterFilter {
        let now = OperatorClock.now
        func time(_ text: String?) throws -> Date? {
            try text.map { try TimeArgument.parse($0, timeZone: configuration.timeZone, now: now, spans: .back) }
        }
        if let shop { try Known.shop(shop, in: configuration) }
        var filter = LetterFilter(state: state)
        (filter.service, filter.queue, filter.topic, filter.shop) = (service, queue, topic, shop)
        (filter.erp, filter.error, filter.fingerprint) = (erp, error, fingerprint)
        (filter.since, filter.until) = (try time(since), try time(until))
        if let since = filter.since, let until = filter.until, since >= until {
            throw ToolError.usage("--since is not before --until, so no letter can be meant.")
        }
        if !ids.isEmpty { filter.ids = ids }
        if let order { filter.order = try await reference(of: order, database) }
        if let sku { filter.items = try await LetterReader(database: database).items(named: sku, shop: shop) }
        return filter
    }

    private func reference(of order: String, _ database: OperatorDatabase) async throws -> String {
        if let reference = OrderReference(order), shop == nil || reference.shop.rawValue == shop { return order }
        guard let shop else { return order }
        // An order that never reached the ledger may well have died on its way: then it goes by the platform's id.
        return try await OrderStore(database: database).reference(shop: shop, order: order) ?? "\(shop):\(order)"
    }
}

/// In which state the letters are.
struct LetterStateOptions: ParsableArguments {
    enum State: String, CaseIterable, ExpressibleByArgument {
        case waiting, replaying, processed, superseded, archived, all
    }

    @Option(name: .long, help: "In this state only.")
    var state = State.waiting

    /// As the filter says it.
    var filtered: String? { state == .all ? nil : state.rawValue }

    /// Whether letters that are settled are meant, which leave after a while.
    var meansSettled: Bool { state != .waiting && state != .replaying }
}

extension LetterFilter {
    /// Whether somebody asks for what may be no longer kept: for an early time, or for what was not found.
    func reachesBeyond(_ page: LetterPage, now: Date) -> Bool {
        let limit = RetentionPeriod.limit(days: RetentionPeriod.recordDays, before: now)
        return since.map { $0 < limit } ?? page.letters.isEmpty
    }
}
