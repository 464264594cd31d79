import ArgumentParser
import Contracts
import Domain
import Foundation
import PostgreSQL
import Settings

/// `stockbridge stock hold`.
struct StockHold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Take units off sale, with a reason and an end.",
        subcommands: [HoldAdd.self, HoldList.self, HoldEnd.self])
}

/// `stockbridge stock hold add`.
struct HoldAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Take units of an ERP code off sale in all shops.",
        discussion: """
            EXAMPLE:
              stockbridge stock hold add ABC-123 12 --reason "damaged in transport" --until "2026-11-30 18:00"
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The ERP's code.")
    var sku: String

    @Argument(help: "How many units of the ERP.")
    var quantity: String

    @Option(name: .long, help: "Why.")
    var reason: String

    @Option(name: .long, help: "Until when: a time, or 90m, 12h, 3d from now.")
    var until: String

    func validate() throws {
        guard let amount = Quantity(quantity), amount > .zero else {
            throw ValidationError("'\(quantity)' is not a quantity above 0.")
        }
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let end = try TimeArgument.parse(until, timeZone: configuration.timeZone, now: OperatorClock.now)
        try await global.command(
            .stockPublisher, .holdAdd,
            [
                "sku": .string(sku), "quantity": .string(quantity), "reason": .string(reason),
                "ends_at": .string(end.formatted(.iso8601)),
            ], reason: reason, waitSeconds: waiting.wait)
    }
}

/// Units that are off sale.
struct Hold: Sendable, Encodable {
    var id: UUID
    var erpCode: String
    var quantity: String
    var reason: String
    var endsAt: Date
    var createdBy: String
    var createdAt: Date
    var endedAt: Date?
}

/// Reads holds.
struct HoldLister: Sendable {
    let database: OperatorDatabase

    func list(all: Bool) async throws -> [Hold] {
        try await database.pool.query(
            """
            SELECT id, erp_code, trim_scale(quantity)::text AS quantity, reason, ends_at, created_by, created_at,
                ended_at
            FROM publishing.holds WHERE $1 OR ended_at IS NULL ORDER BY created_at DESC LIMIT 500
            """, [.boolean(all)]
        ).map { row in
            Hold(
                id: try row.decode("id"), erpCode: try row.decode("erp_code"), quantity: try row.decode("quantity"),
                reason: try row.decode("reason"), endsAt: try row.decode("ends_at"),
                createdBy: try row.decode("created_by"), createdAt: try row.decode("created_at"),
                endedAt: try row.decode("ended_at"))
        }
    }

    func find(_ id: IDPrefix) async throws -> UUID {
        let rows = try await database.pool.query(
            "SELECT id FROM publishing.holds WHERE id::text LIKE $1 || '%' LIMIT 2", [.text(id.text)])
        return try id.only(rows, of: "hold", list: "stockbridge stock hold list")
    }
}

/// `stockbridge stock hold list`.
struct HoldList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The units that are off sale.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: .long, help: "Ended holds too.")
    var all = false

    func run() async throws {
        let configuration = try global.load()
        let holds = try await OperatorDatabase.with(configuration) { database in
            try await HoldLister(database: database).list(all: all)
        }
        try global.print(
            ["holds": holds],
            text: Self.text(holds, Wording(timeZone: configuration.timeZone), Console.style, OperatorClock.now))
    }

    static func text(_ holds: [Hold], _ wording: Wording, _ style: TextStyle, _ now: Date) -> String {
        guard !holds.isEmpty else { return "Nothing is on hold." }
        var table = TextTable([
            ("id", .left), ("ERP code", .left), ("units", .right), ("until", .left), ("by", .left), ("reason", .left),
        ])
        for hold in holds {
            let end = hold.endedAt.map { "ended \(wording.shortMoment($0, now: now))" }
            table.add([
                SnapshotText.short(hold.id), hold.erpCode.cut(to: 20), hold.quantity,
                end ?? wording.shortMoment(hold.endsAt, now: now), hold.createdBy.cut(to: 12), hold.reason.cut(to: 30),
            ])
        }
        return table.text(indent: 0, style: style)
    }
}

/// `stockbridge stock hold end`.
struct HoldEnd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end", abstract: "Put units back on sale before their hold ends by itself.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The hold's id, or its first characters.")
    var hold: String

    func run() async throws {
        let configuration = try global.load()
        let prefix = try IDPrefix(hold, of: "hold")
        let id = try await OperatorDatabase.with(configuration) { database in
            try await HoldLister(database: database).find(prefix)
        }
        try await global.command(
            .stockPublisher, .holdEnd, ["hold": .string(id.uuidString.lowercased())], waitSeconds: waiting.wait)
    }
}
