import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

extension OperatorCommands {
    /// Sends the present state again: `mapping`, `stock`, or both without `what`.
    func republish(_ command: Command, in work: UnitOfWork) throws -> String {
        let shop = try shop(command.arguments).name
        let what = command.arguments["what"]?.string
        guard what == nil || what == "mapping" || what == "stock" else {
            throw Refusal(sentence: "Say what to send again: 'mapping' or 'stock'; nothing was sent.")
        }
        var said: [String] = []
        if what != "stock" {
            said.append("\(try MappingAnnouncer.announceAll(of: shop, in: work)) listings with their mapping")
        }
        if what != "mapping" {
            let request = command.arguments["request"]?.string.flatMap(UUID.init(uuidString:))
            let listings = command.arguments["listings"]?.array?.compactMap(\.string).map(ListingID.init(rawValue:))
            let count = try statements.write(of: shop, request: request, listings: listings, in: work)
            said.append("\(count) listings with their levels")
        }
        return "Shop \(shop): sent \(said.joined(separator: " and "))."
    }

    /// Sets aside what was confirmed for shelves at which somebody saw another stock, and pushes them again.
    func repair(_ command: Command, in work: UnitOfWork) throws -> String {
        let shop = try shop(command.arguments)
        var seen: [ListingID: ObservedStock] = [:]
        for entry in command.arguments["shelves"]?.array ?? [] {
            guard let shelf = entry.object?["shelf"]?.string, let observed = Self.units(entry.object?["observed"]),
                let from = entry.object?["read_from"]?.string.flatMap({ UTCTimestamp.parse($0) }),
                let to = entry.object?["read_to"]?.string.flatMap({ UTCTimestamp.parse($0) }), from <= to
            else {
                throw Refusal(
                    sentence: "Each shelf needs its id, the units seen, and from when to when they were read; "
                        + "nothing was repaired.")
            }
            seen[ListingID(rawValue: shelf)] = ObservedStock(level: observed, readFrom: from, readTo: to)
        }
        guard !seen.isEmpty else { throw Refusal(sentence: "No shelf is named; nothing was repaired.") }
        var rows = try ShelfStore.lock(.shelves(shop.name, Array(seen.keys)), in: work.transaction)
        var again: [ShelfRow] = []
        for index in rows.indices {
            guard let stock = seen[rows[index].shelf] else { continue }
            if rows[index].state.repair(stock) { again.append(rows[index]) }
        }
        try ShelfStore.save(rows, in: work.transaction)
        let inputs = try levels.inputs(of: again, reserved: [], at: work.startedAt, in: work.transaction)
        try VersionRow.insert(
            again.map { row in
                VersionRow(
                    row: row, breakdown: inputs[row.key]?.level.breakdown(), kind: "repair",
                    causeID: command.commandID.uuidString.lowercased(), at: work.startedAt)
            }, in: work.transaction)
        try levels.request(
            again, retryRejected: true, correlation: command.commandID.uuidString.lowercased(), in: work)
        return "Shop \(shop.name): \(again.count) of \(seen.count) shelves are pushed again; "
            + "the others are as wanted or being written."
    }

    /// Whole units, as a number or as text.
    private static func units(_ value: JSONValue?) -> Int? {
        value?.integer.map(Int.init) ?? value?.string.flatMap { Quantity($0)?.flooredUnits }
    }
}
