import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Carries out what an operator asks of this service's own tables, and answers.
struct OperatorCommands: BatchHandler {
    let settings: PublisherSettings
    let levels: LevelWriter
    let remaps: RemapRequests
    let statements: StatementWriter

    func apply(_ events: [Event<Command>], in work: UnitOfWork) throws {
        // Before any shop's row, as a remap does.
        try MappingLock.share(in: work.transaction)
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
    struct Refusal: Error { let sentence: String }

    private func carryOut(_ command: Command, in work: UnitOfWork) throws -> String {
        switch command.verb {
        case .shadowOn: try shadow(command, on: true, in: work)
        case .shadowOff: try shadow(command, on: false, in: work)
        case .holdAdd: try addHold(command, in: work)
        case .holdEnd: try endHold(command, in: work)
        case .mappingSet: try setMapping(command, [command.arguments], in: work)
        case .mappingImport:
            try setMapping(command, (command.arguments["aliases"]?.array ?? []).compactMap(\.object), in: work)
        case .release: try release(command, in: work)
        case .run: try run(command, in: work)
        case .repair: try repair(command, in: work)
        case .republish: try republish(command, in: work)
        default:
            throw Refusal(sentence: "stock-publisher does not carry out '\(command.verb.rawValue)'.")
        }
    }

    func shop(_ arguments: [String: JSONValue]) throws -> PublisherSettings.Shop {
        let name = arguments["shop"]?.string ?? ""
        guard let shop = settings.shops[ShopName(rawValue: name)] else {
            let known = settings.shops.keys.map(\.rawValue).sorted().joined(separator: ", ")
            throw Refusal(sentence: "There is no shop '\(name)' in the configuration; there are \(known).")
        }
        return shop
    }

    private func shadow(_ command: Command, on: Bool, in work: UnitOfWork) throws -> String {
        let shop = try shop(command.arguments)
        let changed = try work.transaction.execute(
            """
            UPDATE shops SET shadow = $2, shadow_changed_by = $3, shadow_changed_at = $4
            WHERE shop = $1 AND shadow <> $2
            """,
            [
                .text(shop.name.rawValue), .boolean(on), .text(command.requestedBy), .timestamp(work.startedAt),
            ])
        guard changed == 1 else { return "Shop \(shop.name) is \(on ? "in" : "out of") shadow already." }
        if on { return "Shop \(shop.name) is in shadow: levels are worked out, nothing is written." }
        try beginRun(of: shop, cause: "release", in: work)
        return "Shop \(shop.name) is out of shadow: its shelves are being pushed."
    }

    private func beginRun(of shop: PublisherSettings.Shop, cause: String, in work: UnitOfWork) throws {
        let run = Run(
            shop: shop.name, cause: cause, beganAt: work.startedAt,
            deadlineAt: work.startedAt.addingTimeInterval(shop.runDeadlineSeconds))
        try RunStore.begin(run, in: work.transaction)
        try levels.requestAllDue(
            of: shop.name, retryRejected: true, correlation: run.id.uuidString.lowercased(), in: work)
    }

    private func run(_ command: Command, in work: UnitOfWork) throws -> String {
        let chosen =
            command.arguments["shop"] == nil
            ? settings.shops.values.sorted { $0.name < $1.name } : [try shop(command.arguments)]
        for shop in chosen { try beginRun(of: shop, cause: "command", in: work) }
        return "Asked \(chosen.count) shops for a push of everything that is due."
    }

    private func addHold(_ command: Command, in work: UnitOfWork) throws -> String {
        let arguments = command.arguments
        guard let code = arguments["sku"]?.string, !ERPCode(rawValue: code).isBlank,
            let quantity = arguments["quantity"]?.string.flatMap({ Quantity($0) }), quantity > .zero,
            let reason = arguments["reason"]?.string, !reason.isEmpty,
            let end = arguments["ends_at"]?.string.flatMap(Self.time), end > work.startedAt
        else {
            throw Refusal(
                sentence: "A hold needs a SKU, a quantity above 0, a reason and an end in the future; nothing was held."
            )
        }
        let known = try work.transaction.query("SELECT 1 FROM stock WHERE sku = $1 LIMIT 1", [.text(code)])
        guard !known.isEmpty else {
            throw Refusal(sentence: "No stock file has named the SKU '\(code)'; nothing was held.")
        }
        try work.transaction.execute(
            """
            INSERT INTO holds (id, erp_code, quantity, reason, ends_at, created_by, created_at)
            VALUES ($1, $2, $3::text::numeric, $4, $5, $6, $7)
            """,
            [
                .uuid(command.commandID), .text(code), .text(quantity.description), .text(reason), .timestamp(end),
                .text(command.requestedBy), .timestamp(work.startedAt),
            ])
        let cause = LevelCause(
            kind: "hold", id: command.commandID.uuidString.lowercased(), at: work.startedAt)
        let changed = try levels.recompute(.codes([ERPCode(rawValue: code)]), because: cause, in: work)
        return "\(quantity) units of \(code) are off sale until \(Self.text(end)); \(changed) shelves changed. "
            + "Hold \(command.commandID.uuidString.lowercased())."
    }

    private func endHold(_ command: Command, in work: UnitOfWork) throws -> String {
        guard let id = command.arguments["hold"]?.string.flatMap(UUID.init(uuidString:)) else {
            throw Refusal(sentence: "Say which hold to end by its id, as 'stockbridge stock hold list' shows it.")
        }
        let rows = try work.transaction.query(
            "UPDATE holds SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL RETURNING erp_code",
            [.uuid(id), .timestamp(work.startedAt), .text(command.requestedBy)])
        guard let row = rows.first else {
            throw Refusal(sentence: "There is no open hold \(id.uuidString.lowercased()).")
        }
        let code = ERPCode(rawValue: try row.decode(at: 0))
        let cause = LevelCause(kind: "hold", id: id.uuidString.lowercased(), at: work.startedAt)
        let changed = try levels.recompute(.codes([code]), because: cause, in: work)
        return "The hold on \(code) has ended; \(changed) shelves changed."
    }

    private func setMapping(
        _ command: Command, _ entries: [[String: JSONValue]], in work: UnitOfWork
    ) throws -> String {
        var shops: Set<ShopName> = []
        for entry in entries {
            let shop = try shop(entry)
            let sku = entry["shop_sku"]?.string
            let listing = entry["listing"]?.string
            guard let code = entry["code"]?.string, !ERPCode(rawValue: code).isBlank, (sku == nil) != (listing == nil),
                !ShopSKU(rawValue: sku ?? listing ?? "").isBlank
            else {
                throw Refusal(
                    sentence:
                        "A mapping needs a shop, either a shop SKU or a listing id, and an ERP code; none was set.")
            }
            let units = entry["units_per_pack"]?.integer ?? 1
            guard (1...1_000_000).contains(units) else {
                throw Refusal(sentence: "A pack of \(units) units is not possible; none was set.")
            }
            try work.transaction.execute(
                "DELETE FROM aliases WHERE shop = $1 AND (shop_sku = $2 OR listing = $3)",
                [.text(shop.name.rawValue), .maybe(sku) { .text($0) }, .maybe(listing) { .text($0) }])
            try work.transaction.execute(
                """
                INSERT INTO aliases (id, shop, shop_sku, listing, erp_code, units_per_pack, set_by)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    .uuid(UUID()), .text(shop.name.rawValue), .maybe(sku) { .text($0) }, .maybe(listing) { .text($0) },
                    .text(code), .integer(units), .text(command.requestedBy),
                ])
            shops.insert(shop.name)
        }
        try remaps.request(
            shops: shops.sorted(), cause: "mapping", id: command.commandID.uuidString.lowercased(),
            at: work.startedAt, in: work)
        return
            "\(entries.count) mappings set; the listings of \(shops.map(\.rawValue).sorted().joined(separator: ", ")) "
            + "are being mapped anew."
    }

    private func release(_ command: Command, in work: UnitOfWork) throws -> String {
        let shop = try shop(command.arguments)
        let listing = ListingID(rawValue: command.arguments["listing"]?.string ?? "")
        var rows = try ShelfStore.lock(.shelves(shop.name, [listing]), in: work.transaction)
        guard !rows.isEmpty, rows[0].state.held != nil else {
            throw Refusal(sentence: "Listing \(listing) of shop \(shop.name) is not held.")
        }
        rows[0].state.releaseHold()
        try ShelfStore.save(rows, in: work.transaction)
        try levels.request(rows, retryRejected: true, correlation: "release", in: work)
        return "Listing \(listing) of shop \(shop.name) is let go and will be pushed."
    }

    private static func time(_ text: String) -> Date? {
        try? Date.ISO8601FormatStyle().parse(text)
    }

    private static func text(_ date: Date) -> String { date.formatted(.iso8601) }
}
