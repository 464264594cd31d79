import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Carries out what an operator, a schedule or another service asks, and answers.
struct OperatorCommands: BatchHandler {
    /// Reported orders that are older than this are not said again: nobody's numbers depend on them any more.
    private static let republishedDays = 30.0

    let settings: CollectorSettings

    func apply(_ events: [Event<Command>], in work: UnitOfWork) throws {
        for event in events {
            do {
                let message = try carryOut(event.payload, in: work)
                try work.answer(event.payload.commandID, .done, CommandMessage(message))
            } catch let refusal as Refusal {
                try work.answer(event.payload.commandID, .refused, CommandMessage(refusal.sentence))
            }
        }
    }

    /// A rule forbids the command; nothing was changed.
    private struct Refusal: Error { let sentence: String }

    private func carryOut(_ command: Command, in work: UnitOfWork) throws -> String {
        switch command.verb {
        case .run, .collect: return try collect(command, in: work)
        case .repair: return try ask(.repair, command, in: work)
        case .release: return try release(command, in: work)
        case .republish: return try republish(command, in: work)
        default: throw Refusal(sentence: "order-collector does not carry out '\(command.verb.rawValue)'.")
        }
    }

    private func shops(_ arguments: [String: JSONValue]) throws -> [CollectorSettings.Shop] {
        guard let name = arguments["shop"]?.string else { return settings.collecting }
        guard let shop = settings.shops[ShopName(rawValue: name)] else {
            let known = settings.shops.keys.map(\.rawValue).sorted().joined(separator: ", ")
            throw Refusal(sentence: "There is no shop '\(name)' in the configuration; there are \(known).")
        }
        guard shop.collects else {
            throw Refusal(sentence: "Orders of shop '\(name)' are not collected: orders.collect is false.")
        }
        return [shop]
    }

    private func order(_ command: Command) throws -> (OrderReference, CollectorSettings.Shop)? {
        guard let text = command.arguments["order"]?.string else { return nil }
        guard let reference = OrderReference(text), let shop = settings.shops[reference.shop] else {
            throw Refusal(sentence: "'\(text.prefix(100))' is no order; write it as shop:id, such as saigon:1001.")
        }
        return (reference, shop)
    }

    // MARK: Collecting

    private func collect(_ command: Command, in work: UnitOfWork) throws -> String {
        guard let (reference, shop) = try order(command) else { return try ask(.pass, command, in: work) }
        try work.enqueue(
            Event(
                FetchWork(shop: shop.name, externalID: reference.externalID, via: .collect),
                subject: reference.description, correlation: command.commandID.uuidString.lowercased(),
                occurredAt: work.startedAt),
            queue: ServiceCatalogue.fetchQueue(of: shop.name))
        return "Order \(reference) is being fetched."
    }

    private func ask(_ kind: OrdersCollected.Kind, _ command: Command, in work: UnitOfWork) throws -> String {
        let shops = try shops(command.arguments)
        let request = command.arguments["request"]?.string.flatMap(UUID.init(uuidString:))
        for shop in shops { try FeedStore.ask(kind, of: shop.name, request: request, in: work) }
        let names = shops.map(\.name.rawValue).joined(separator: ", ")
        return kind == .pass
            ? "The orders of \(names) are being collected." : "The last days' orders of \(names) are being compared."
    }

    // MARK: Holding

    private func release(_ command: Command, in work: UnitOfWork) throws -> String {
        guard let (reference, shop) = try order(command) else {
            throw Refusal(sentence: "Say which order to let go, as shop:id; nothing was changed.")
        }
        guard let reason = command.arguments["reason"]?.string, !reason.allSatisfy(\.isWhitespace) else {
            throw Refusal(sentence: "Letting an order go needs a reason; nothing was changed.")
        }
        try MappingStore.lockShared(shop.name, in: work.transaction)
        let found = try OrderStore.lock([reference.externalID], of: shop.name, in: work.transaction)
        guard var row = found[reference.externalID] else {
            throw Refusal(sentence: "Order \(reference) is not known.")
        }
        let around = try OrderLedger(shop: shop).surroundings(of: [row.record.order], in: work)
        guard
            let effects = row.record.release(
                by: command.requestedBy, reason: String(reason.prefix(500)), around: around)
        else { throw Refusal(sentence: "Order \(reference) is not held.") }
        var batch = LedgerBatch(shop: shop.name, via: .pass)
        batch.reassessed = [(row, effects)]
        _ = try batch.write(in: work)
        guard row.record.holds.isEmpty else {
            return "Order \(reference) is still held: \(row.record.holds.map(\.text).joined(separator: " "))"
        }
        return "Order \(reference) is let go and goes into the next report."
    }

    private func republish(_ command: Command, in work: UnitOfWork) throws -> String {
        if let (reference, shop) = try order(command) {
            let found = try OrderStore.lock([reference.externalID], of: shop.name, in: work.transaction)
            guard let row = found[reference.externalID] else {
                throw Refusal(sentence: "Order \(reference) is not known.")
            }
            try OrderEvents.emitOrder(row, .updated, in: work)
            return "Order \(reference) is being sent again."
        }
        let since = work.startedAt.addingTimeInterval(-Self.republishedDays * 86_400)
        let shops = try shops(command.arguments)
        for shop in shops {
            try RepublishHandler.enqueue(RepublishWork(shop: shop.name, after: "", placedSince: since), in: work)
        }
        return "The orders of \(shops.map(\.name.rawValue).joined(separator: ", ")) are being sent again."
    }
}
