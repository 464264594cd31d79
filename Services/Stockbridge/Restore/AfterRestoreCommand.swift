import ArgumentParser
import Contracts
import Domain
import Foundation
import Messaging
import Migrations
import PostgreSQL
import ServiceKit
import Settings

/// `stockbridge after-restore`.
struct AfterRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "after-restore",
        abstract: "Bring a database that was restored to an earlier moment back in step with the world.",
        discussion: """
            EXAMPLES:
              stockbridge after-restore --reports mailed/ --reason "disk lost" --dry-run
              stockbridge after-restore --no-reports --reason "disk lost"

            Run it after 'migrate' and 'topology apply', before any service starts; docs/backup.md has the whole way. \
            The folder holds the order reports (.xlsx) that the ERP was mailed since the backup: the database does \
            not know of them, and their orders must not go to the ERP again. It has to hold the newest of each shop: \
            compare what --dry-run names with the last mail in the ERP's mailbox. Every shop is put into shadow, \
            every shelf is read back before it is written. Works as the administrator of the section 'admin'; one \
            transaction; safe to repeat as long as no service runs.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: ArgumentHelp("The order reports mailed since the backup.", valueName: "folder"))
    var reports: String?

    @Flag(name: .long, help: "No order report was mailed since the backup.")
    var noReports = false

    @Flag(name: .long, help: "Go on although a report that another names is missing: its orders go to the ERP again.")
    var acceptGaps = false

    @Option(name: .long, help: "Why the database was restored; kept in the audit.")
    var reason: String

    @Flag(name: .long, help: "Say what would be done and change nothing.")
    var dryRun = false

    func validate() throws {
        guard (reports == nil) == noReports else {
            throw ValidationError("Say either --reports FOLDER or --no-reports.")
        }
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let files = try reports.map(Self.read) ?? []
        var administrator = try configuration.administratorDatabaseConfiguration()
        // What is said again leaves through erp-bridge's outbox.
        administrator.searchPath = [ServiceName.erpBridge.schema]
        let report = try await OperatorDatabase.withPool(administrator, connections: 1, for: .administrator) { pool in
            try await work(configuration, pool, files)
        }
        let wording = Wording(timeZone: configuration.timeZone)
        try global.print(report, text: report.text(wording, now: OperatorClock.now))
        guard !dryRun else { return }
        do {
            try await askServices(configuration)
        } catch {
            throw ToolError.failed(
                "\(error) The database is in step and stays so, but not every service was asked to say again what it "
                    + "knows. Put that right and run the same command again, before any service starts.")
        }
    }

    private static func read(_ folder: String) throws -> [ReportFile] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw ToolError.usage("The folder \(folder) cannot be read; nothing was changed.")
        }
        return try names.filter { $0.lowercased().hasSuffix(".xlsx") }.sorted().map { name in
            try ReportFile(path: URL(filePath: folder).appending(path: name).path())
        }.sorted { ($0.due, $0.shop) < ($1.due, $1.shop) }
    }

    private func work(
        _ configuration: StockbridgeConfiguration, _ pool: PostgresPool, _ files: [ReportFile]
    ) async throws -> RestoreReport {
        let name = configuration.database.name
        let pending = try await Migrator(pool: pool, database: name).pending()
        guard pending.isEmpty else {
            throw ToolError.failed(
                "Database \(name) is not up to date: run 'stockbridge migrate' first. Nothing was changed.")
        }
        let steps = RestoreSteps(
            files: files, configuration: configuration, acceptsGaps: acceptGaps, operatorName: CommandDesk.operatorName,
            reason: reason)
        let database = ServiceDatabase(pool: pool, service: .erpBridge, now: { OperatorClock.now })
        guard dryRun else { return try await database.unitOfWork { work in try steps.run(in: work) } }
        do {
            try await database.unitOfWork { work in throw RolledBack(report: try steps.run(in: work)) }
        } catch let done as RolledBack {
            var report = done.report
            report.dryRun = true
            return report
        }
        throw ToolError.failed("The dry run did not come to its end; nothing was changed.")
    }

    /// Ends a transaction that was only to be looked at.
    private struct RolledBack: Error { let report: RestoreReport }

    /// What was on its way then is said again, once the services run.
    private func askServices(_ configuration: StockbridgeConfiguration) async throws {
        var waiting: [String] = []
        try await OperatorDatabase.with(configuration) { database in
            let desk = CommandDesk(configuration, database)
            func ask(_ service: ServiceName, _ arguments: [String: JSONValue] = [:]) async throws {
                let result = try await desk.submit(service, .republish, arguments, reason: reason, waitSeconds: 0)
                if !result.isPublished { waiting.append(service.rawValue) }
            }
            try await ask(.stockIngestor)
            for shop in configuration.shops.map(\.name.rawValue) {
                try await ask(.stockPublisher, ["shop": .string(shop), "what": .string("mapping")])
            }
            try await ask(.orderCollector)
        }
        guard !waiting.isEmpty else { return }
        Console.complain(
            "The broker did not take the wishes to \(waiting.joined(separator: ", ")) to say again what they know; the "
                + "next command of 'stockbridge' takes them along.")
    }
}
