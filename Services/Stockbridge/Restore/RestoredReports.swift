import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// Order reports on both sides of the moment that was restored: what the ERP has must not go there again, and who has
/// to know of a report is told.
struct RestoredReports {
    let steps: RestoreSteps

    /// Events of the time right before the moment may have been in the broker then.
    private static let saidAgainSeconds = 86_400.0

    /// What stands in the place of the mail server's answer where a report was read back from its file.
    static let answer = "read back from its file after a restore"

    // MARK: - Before the moment

    /// Says `order.reported` once more of the reports of the last day. Those that were read back from their files have
    /// no entries to tell of; their orders are heard of again instead.
    ///
    /// - Returns: How many reports.
    func sayAgain(before moment: Date, in work: UnitOfWork) throws -> Int {
        let since = moment.addingTimeInterval(-Self.saidAgainSeconds)
        let rows = try work.transaction.query(
            """
            SELECT id, shop, sent_at, build FROM erp.reports
            WHERE state = 'sent' AND sent_at >= $1 AND answer IS DISTINCT FROM $2 ORDER BY sent_at, id
            """, [.timestamp(since), .text(Self.answer)])
        for row in rows {
            let (batch, build): (String, Int) = (try row.decode("id"), try row.decode("build"))
            let shop = ShopName(rawValue: try row.decode("shop"))
            let entries = try entries(of: batch, build, in: work.transaction)
            let starts = Array(stride(from: 0, to: max(1, entries.count), by: OrderReported.maximumOrders))
            for (index, start) in starts.enumerated() {
                let orders = Array(entries[start..<min(start + OrderReported.maximumOrders, entries.count)])
                let chunk = OrderReported(
                    batchID: batch, shop: shop, sentAt: try row.decode("sent_at"), part: index + 1,
                    parts: starts.count, orders: orders)
                try work.emit(
                    Event(chunk, subject: shop.rawValue, correlation: batch, occurredAt: work.startedAt))
            }
        }
        return rows.count
    }

    private func entries(
        of batch: String, _ build: Int, in transaction: Transaction
    ) throws -> [OrderReported.Entry] {
        try transaction.query(
            """
            SELECT e.external_id, e.revision, e.state_version, s.payload
            FROM erp.entries e JOIN erp.statements s
                ON (s.shop, s.external_id, s.statement) = (e.shop, e.external_id, e.statement)
            WHERE e.batch_id = $1 AND e.build = $2 AND e.place IN ('lines', 'changes') ORDER BY e.external_id
            """, [.text(batch), .int(build)]
        ).map { row in
            let said: OrderStatement = try ContractCoding.decode(
                from: Array(try row.decode("payload", as: String.self).utf8))
            return OrderReported.Entry(
                externalID: try row.decode("external_id"),
                version: OrderVersion(
                    revision: try row.decode("revision"), stateVersion: try row.decode("state_version")),
                quantities: said.erpQuantities, isCancellation: said.isCancelled)
        }
    }

    // MARK: - After the moment

    /// Takes the reports that were mailed since, and lets those that were not be made anew.
    func take(in work: UnitOfWork, _ report: inout RestoreReport) throws {
        let transaction = work.transaction
        let files = try checked(transaction, &report)
        // What a build had marked is taken back: its batch went out with another content, or is made anew.
        let unfinished = try transaction.query(
            "SELECT id, build FROM erp.reports WHERE state IN ('built', 'sending') ORDER BY id FOR UPDATE")
        let mailed = Set(files.map(\.batch))
        for row in unfinished {
            let batch: String = try row.decode("id")
            try takeBack(batch, build: try row.decode("build"), in: transaction)
            if !mailed.contains(batch) { report.reportsMadeAnew.append(batch) }
        }
        for file in files {
            try record(file, in: work)
            try note(file, in: transaction)
        }
        report.reports = files.map(\.batch)
        report.ordersTold = Set(files.flatMap { file in file.entries.map { "\(file.shop):\($0.externalID)" } }).count
        try raiseVersions(transaction)
        report.newestReports = try steps.configuration.shops.map { shop in
            try newest(of: shop.name.rawValue, transaction)
        }
    }

    /// The last report before a crash is named by no other, so that no chain shows whether it is missing.
    private func newest(of shop: String, _ transaction: Transaction) throws -> RestoreReport.Newest {
        let rows = try transaction.query(
            "SELECT id FROM erp.reports WHERE shop = $1 AND state = 'sent' ORDER BY due DESC LIMIT 1", [.text(shop)])
        return RestoreReport.Newest(shop: shop, batch: try rows.first?.decode(at: 0))
    }

    /// Those that the database does not know to have been sent, the oldest first.
    private func checked(_ transaction: Transaction, _ report: inout RestoreReport) throws -> [ReportFile] {
        let rows = try transaction.query("SELECT id FROM erp.reports WHERE state = 'sent'")
        let sent = Set(try rows.map { try $0.decode(at: 0, as: String.self) })
        let shops = Set(steps.configuration.shops.map(\.name.rawValue))
        let chain = ReportChain(
            steps.files.map { ($0.name, $0.batch, $0.shop, $0.previousBatch, $0.digest) }, shops: shops, sent: sent)
        if let refusal = chain.refusal(acceptsGaps: steps.acceptsGaps) { throw ToolError.failed(refusal) }
        report.gapsAccepted = chain.gaps
        var seen = sent
        return steps.files.filter { seen.insert($0.batch).inserted }
    }

    private func takeBack(_ batch: String, build: Int, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE erp.orders o SET carried = e.previous, repeats = o.repeats OR e.repeats, open = true
            FROM erp.entries e
            WHERE e.batch_id = $1 AND e.build = $2 AND e.place <> 'held'
                AND (o.shop, o.external_id) = (e.shop, e.external_id)
            """, [.text(batch), .int(build)])
        for column in ["batch_id", "superseded_by", "counted_by"] {
            try transaction.execute(
                "UPDATE erp.statements SET \(column) = NULL WHERE \(column) = $1", [.text(batch)])
        }
        try transaction.execute(
            """
            UPDATE erp.reports SET state = 'ready', file_id = NULL, lease_until = NULL, attempts = 0, asked_at = NULL,
                last_problem = 'It is made anew: the database was restored before it was known to be sent.'
            WHERE id = $1
            """, [.text(batch)])
    }

    /// The report counts as sent, with its file.
    private func record(_ file: ReportFile, in work: UnitOfWork) throws {
        let id = UUID()
        try work.storeFile(
            id: id, service: .erpBridge, name: file.name, digest: file.digest, content: file.bytes)
        try work.transaction.execute(
            """
            INSERT INTO erp.reports AS r (id, shop, due, state, requested_by, requested_at, build, file_id, file_name,
                digest, checksum, built_at, previous_batch, window_from, feed_complete_up_to, sent_at, answer, orders,
                changes)
            VALUES ($1, $2, $3, 'sent', 'after-restore', $4, 1, $5, $6, $7, $8, $4, $9, $10, $11, $4, $14, $12, $13)
            ON CONFLICT (id) DO UPDATE SET state = 'sent', build = r.build + 1, file_id = excluded.file_id,
                file_name = excluded.file_name, digest = excluded.digest, checksum = excluded.checksum,
                built_at = excluded.built_at, previous_batch = excluded.previous_batch,
                window_from = excluded.window_from, feed_complete_up_to = excluded.feed_complete_up_to,
                sent_at = excluded.sent_at, answer = excluded.answer, orders = excluded.orders,
                changes = excluded.changes, lease_until = NULL, last_problem = NULL
            """,
            [
                .text(file.batch), .text(file.shop), .timestamp(file.due), .timestamp(file.madeAt), .uuid(id),
                .text(file.name), .text(file.digest), .text(file.checksum), .maybe(file.previousBatch) { .text($0) },
                .maybe(file.windowFrom) { .timestamp($0) }, .maybe(file.knownUpTo) { .timestamp($0) },
                .int(file.entries.filter { $0.place == "lines" }.count),
                .int(file.entries.filter { $0.place == "changes" }.count), .text(Self.answer),
            ])
    }

    /// What the report said waits until the orders are heard of again.
    private func note(_ file: ReportFile, in transaction: Transaction) throws {
        for entry in file.entries {
            let key: [PostgresValue] = [.text(file.shop), .text(entry.externalID)]
            try transaction.execute(
                """
                INSERT INTO erp.restored AS r (shop, external_id, batch_id, place, revision, content, known_up_to,
                    sent_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (shop, external_id) DO UPDATE SET batch_id = excluded.batch_id, place = excluded.place,
                    revision = greatest(r.revision, excluded.revision), content = excluded.content,
                    known_up_to = excluded.known_up_to, sent_at = excluded.sent_at
                """,
                key + [
                    .text(file.batch), .text(entry.place), .int(entry.revision),
                    .text(String(decoding: try ContractCoding.encode(entry.content), as: UTF8.self)),
                    .maybe(file.knownUpTo) { .timestamp($0) }, .timestamp(file.madeAt),
                ])
        }
    }

    /// No report takes these orders before they were heard of again, which they are under a version above all that were
    /// ever handed out.
    private func raiseVersions(_ transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE erp.orders o SET open = false FROM erp.restored r
            WHERE (o.shop, o.external_id) = (r.shop, r.external_id)
            """)
        try transaction.execute(
            """
            INSERT INTO orders.restored AS o (shop, external_id, revision)
            SELECT shop, external_id, revision FROM erp.restored
            ON CONFLICT (shop, external_id) DO UPDATE SET revision = greatest(o.revision, excluded.revision)
            """)
        try transaction.execute(
            """
            UPDATE orders.orders o SET revision = greatest(o.revision, r.revision), state_version = o.state_version + 1
            FROM erp.restored r WHERE (o.shop, o.external_id) = (r.shop, r.external_id)
            """)
    }
}
