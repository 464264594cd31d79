import Charts
import Contracts
import Crypto
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Makes a run's report, stores it, and tells notifier, all in one transaction.
struct ReportMaker {
    static let mostFindings = 50

    let settings: ReconcilerSettings

    /// How it came out, for the log; nil if another replica is at it or it is no longer wanted.
    func make(_ run: UUID, in work: UnitOfWork) throws -> String? {
        let transaction = work.transaction
        let rows = try transaction.query(
            """
            SELECT day, cause, report_due FROM runs
            WHERE id = $1 AND report_due IS NOT NULL AND state <> 'superseded' FOR UPDATE SKIP LOCKED
            """, [.uuid(run)])
        guard let row = rows.first, let reason = MailDecision.Reason(rawValue: try row.decode(at: 2)) else {
            return nil
        }
        let (day, cause): (String, String) = (try row.decode(at: 0), try row.decode(at: 1))
        let data = try ReportData(
            run, day: day, cause: cause, settings: settings, at: work.startedAt, in: transaction)
        try transaction.execute("INSERT INTO days (day) VALUES ($1) ON CONFLICT DO NOTHING", [.text(day)])
        let days = try transaction.query(
            "SELECT mails, is_complete FROM days WHERE day = $1 FOR UPDATE", [.text(day)])
        guard let today = days.first else { return nil }
        let isCommand = cause.hasPrefix("command ")
        let coversAll = data.isComplete && data.shops.count == settings.shops.count
        let decision = MailDecision(
            reason: reason, isCommand: isCommand, mails: try today.decode(at: 0),
            dayIsComplete: try today.decode(at: 1), runIsComplete: coversAll)
        guard case .send(let isUpdate) = decision else {
            try end(data, reason, in: work)
            return "not mailed: the mails of \(day) are out"
        }
        try send(data, isUpdate: isUpdate, in: work)
        if !isCommand || isUpdate {
            try transaction.execute(
                "UPDATE days SET mails = mails + 1, is_complete = is_complete OR $2 WHERE day = $1",
                [.text(day), .boolean(coversAll)])
        }
        try end(data, reason, in: work)
        return isUpdate ? "update mailed" : "mailed"
    }

    /// A run that was mailed by the set time goes on until its shops are through; others are over.
    private func end(_ data: ReportData, _ reason: MailDecision.Reason, in work: UnitOfWork) throws {
        let goesOn = reason == .time && data.cause.hasPrefix("snapshot ") && !data.isComplete
        try work.transaction.execute(
            """
            UPDATE runs SET report_due = NULL, report_failures = 0, report_not_before = NULL, state = $2, closed_at = $3
            WHERE id = $1
            """,
            [
                .uuid(data.run), .text(goesOn ? "open" : "closed"),
                goesOn ? .null : .timestamp(work.startedAt),
            ])
    }

    private func send(_ data: ReportData, isUpdate: Bool, in work: UnitOfWork) throws {
        let name = "reconciliation-\(data.day)\(isUpdate ? "-update" : "").xlsx"
        let workbook = try WorkbookMaker(settings: settings, data: data, now: work.startedAt)
            .make(in: work.transaction)
        let workbookID = try store(workbook, name: name, in: work)
        var pictureID: UUID?
        // A report without its picture is better than none.
        if let picture = try? Self.picture(data, company: settings.company) {
            pictureID = try store(picture, name: "reconciliation-\(data.day).png", in: work)
        }
        let completed = ReconciliationCompleted(
            runID: data.run, day: data.day, isComplete: data.isComplete, isUpdate: isUpdate, sources: data.sources,
            shops: data.shops.map { shop in
                ReconciliationCompleted.Shop(
                    shop: shop.name, isComplete: shop.isComplete, problem: shop.problem, compared: shop.compared,
                    categories: shop.categories, orders: shop.orders)
            },
            findings: try findings(data, in: work.transaction),
            differences: data.shops.map(\.differences).reduce(0, +), workbookID: workbookID, workbookName: name,
            pictureID: pictureID, completedAt: work.startedAt)
        try work.emit(
            Event(
                completed, subject: data.day, correlation: data.run.uuidString.lowercased(),
                occurredAt: work.startedAt))
    }

    private func store(_ content: [UInt8], name: String, in work: UnitOfWork) throws -> UUID {
        let id = UUID()
        let digest = SHA256.hash(data: content).hexadecimal
        try work.storeFile(id: id, service: .reconciler, name: name, digest: digest, content: content)
        return id
    }

    /// The most important differences of the shops that were compared, worst first.
    private func findings(_ data: ReportData, in transaction: Transaction) throws -> [ReconciliationCompleted.Finding] {
        let order = ReconciliationCategory.allCases.filter(\.isDifference).sorted {
            ($0.urgency, $0.rank) < ($1.urgency, $1.rank)
        }
        let rows = try transaction.query(
            """
            SELECT shop, coalesce(sku, listing), erp_code, title, category, expected, observed, age_days, action
            FROM differences WHERE run = $1 AND category = ANY ($2) AND shop = ANY ($3)
            ORDER BY array_position($2::text[], category),
                abs(coalesce(observed, 0) - coalesce(expected, 0)::bigint * 1000000) DESC, shop, listing LIMIT $4
            """,
            [
                .uuid(data.run), .textArray(order.map(\.rawValue)),
                .textArray(data.shops.filter(\.isComplete).map(\.name.rawValue)), .int(Self.mostFindings),
            ])
        return try rows.map { row in
            ReconciliationCompleted.Finding(
                shop: ShopName(rawValue: try row.decode(at: 0)), sku: try row.decode(at: 1),
                erpCode: try row.decode(at: 2), title: try row.decode(at: 3), category: try row.decode(at: 4),
                expected: try row.decode(at: 5),
                observed: try row.decode(at: 6, as: Int64?.self).map { Quantity(micro: $0).flooredUnits },
                ageDays: try row.decode(at: 7), action: try row.decode(at: 8))
        }
    }

    /// One bar a shop: right, on its way, to look at, to look at now.
    static func picture(_ data: ReportData, company: String) throws -> [UInt8] {
        let bars = data.shops.map { shop in
            var values = [0.0, 0, 0, 0]
            for (name, count) in shop.categories {
                values[group(ReconciliationCategory(rawValue: name))] += Double(count)
            }
            let remark =
                !shop.isComplete ? "not compared" : shop.differences == 0 ? "all right" : "\(shop.differences) differ"
            return StackedBarChart.Bar(label: shop.name.rawValue, values: values, remark: remark)
        }
        return try StackedBarChart(
            title: "Stock in the shops, \(data.day)", subtitle: company,
            series: [
                .init("as it should be", .good), .init("on its way", .neutral), .init("look at it", .warning),
                .init("look at it now", .bad),
            ], bars: bars
        ).png()
    }

    private static func group(_ category: ReconciliationCategory?) -> Int {
        switch category {
        case .ok: 0
        case .inFlight: 1
        case .tooHigh, .editedOnSite, .pushFailed, .missingOnSite, .disabled, .tooLow: 3
        default: 2
        }
    }
}
