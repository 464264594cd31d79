import ArgumentParser
import Contracts
import Foundation
import PostgreSQL
import Settings

/// `stockbridge report`.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "The order reports that were sent to the ERP.",
        discussion: """
            EXAMPLES:
              stockbridge report list --shop hanoi
              stockbridge report resend hanoi-20261122-1200
              stockbridge report save hanoi-20261122-1200 .         the workbook as it was sent
            """,
        subcommands: [ReportList.self, ReportResend.self, ReportSave.self])
}

/// `stockbridge report list`.
struct ReportList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Reports, the newest first.")

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "The shop; all if left out.")
    var shop: String?

    @Option(name: .long, help: "How many.")
    var limit = 20

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit is from 1 to 10000.") }
    }

    func run() async throws {
        let configuration = try global.load()
        if let shop { try Known.shop(shop, in: configuration) }
        let reports = try await OperatorDatabase.with(configuration) { database in
            try await ReportStore(database: database).list(shop: shop, limit: limit)
        }
        let wording = Wording(timeZone: configuration.timeZone)
        try global.print(reports, text: Self.text(reports, wording: wording, style: Console.style))
        if reports.contains(where: { $0.problem != nil && $0.sentAt == nil }) { throw ExitStatus.attention }
    }

    static func text(_ reports: [ReportItem], wording: Wording, style: TextStyle) -> String {
        guard !reports.isEmpty else { return "No order report has been due yet." }
        let now = reports.map(\.due).max() ?? Date()
        var table = TextTable([
            ("batch", .left), ("due", .left), ("state", .left), ("sent", .left), ("orders", .right),
            ("lines", .right), ("changes", .right), ("held", .right), ("again", .right),
        ])
        for report in reports {
            table.add([
                report.batch, wording.moment(report.due, now: now),
                report.state == "failed" ? style.bad(report.state) : report.state,
                report.sentAt.map { wording.shortMoment($0, now: now) } ?? "", Wording.grouped(report.orders),
                Wording.grouped(report.lines), Wording.grouped(report.changes), Wording.grouped(report.held),
                report.resent == 0 ? "" : "\(report.resent)",
            ])
        }
        let problems = reports.compactMap { report in
            report.sentAt == nil ? report.problem.map { style.warning(report.batch) + ": \($0)" } : nil
        }
        return ([table.text(style: style)] + problems).joined(separator: "\n")
    }
}

/// `stockbridge report resend`.
struct ReportResend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resend", abstract: "Mail a batch again: the same file under the same batch id.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The batch's id.")
    var batch: String

    func run() async throws {
        try await global.command(.erpBridge, .resend, ["batch": .string(batch)], waitSeconds: waiting.wait)
    }
}

/// `stockbridge report save`.
struct ReportSave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write a batch's workbook to a folder, as it was sent.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The batch's id.")
    var batch: String

    @Argument(help: "The folder.")
    var folder: String

    func run() async throws {
        let configuration = try global.load()
        let file = try await OperatorDatabase.with(configuration) { database in
            try await ReportStore(database: database).file(of: batch)
        }
        guard let file else {
            throw ToolError.failed(
                "There is no batch '\(batch)', or it is not built yet: see 'stockbridge report list'.")
        }
        let path = URL(filePath: folder).appending(path: file.name)
        do {
            try Data(file.content).write(to: path, options: .withoutOverwriting)
        } catch {
            throw ToolError.failed("\(path.path()) was not written: \(error.localizedDescription)")
        }
        try global.print(["path": path.path()], text: path.path())
    }
}

/// One report in a list.
struct ReportItem: Sendable, Encodable {
    var batch: String
    var shop: String
    var due: Date
    /// As erp-bridge's table says: `sent`, `collecting`, `failed`, ...
    var state: String
    var sentAt: Date?
    var orders: Int
    var lines: Int
    var changes: Int
    var held: Int
    var feedCompleteUpTo: Date?
    var feedIsComplete: Bool?
    /// How often it was mailed again.
    var resent: Int
    var problem: String?
}

/// Reads erp-bridge's reports under the operator's role.
struct ReportStore: Sendable {
    let database: OperatorDatabase

    func list(shop: String?, limit: Int) async throws -> [ReportItem] {
        let rows = try await database.pool.query(
            """
            SELECT id, shop, due, state, sent_at, orders, lines, changes, held, feed_complete_up_to, feed_is_complete,
                last_problem, (SELECT count(*) FROM erp.resendings s WHERE s.batch_id = r.id AND s.sent_at IS NOT NULL)
                    AS resent
            FROM erp.reports r WHERE $1::text IS NULL OR shop = $1::text ORDER BY due DESC, shop LIMIT $2
            """, [.maybe(shop, PostgresValue.text), .int(limit)])
        return try rows.map { row in
            ReportItem(
                batch: try row.decode("id"), shop: try row.decode("shop"), due: try row.decode("due"),
                state: try row.decode("state"), sentAt: try row.decode("sent_at"), orders: try row.decode("orders"),
                lines: try row.decode("lines"), changes: try row.decode("changes"), held: try row.decode("held"),
                feedCompleteUpTo: try row.decode("feed_complete_up_to"),
                feedIsComplete: try row.decode("feed_is_complete"), resent: try row.decode("resent"),
                problem: try row.decode("last_problem"))
        }
    }

    /// A batch's workbook; nil if there is none.
    func file(of batch: String) async throws -> (name: String, content: [UInt8])? {
        let rows = try await database.pool.query(
            """
            SELECT f.name, f.content FROM erp.reports r CROSS JOIN LATERAL shared.read_file(r.file_id) f
            WHERE r.id = $1
            """, [.text(batch)])
        return try rows.first.map { (try $0.decode("name"), try $0.decode("content")) }
    }
}
