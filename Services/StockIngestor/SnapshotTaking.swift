import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import Settings
import StockFiles

/// A file that was read, on its way through the gate into the tables: all of it in one transaction.
struct SnapshotTaking: Sendable {
    let settings: StockbridgeConfiguration.Source
    let format: SourceFormat
    let file: FetchedFile
    let parsed: ParsedStockFile
    let asOf: Date
    let knownWarehouses: Set<WarehouseName>

    private var source: SourceName { settings.name }

    /// Loads the rows, asks the gate, and lets the snapshot go live, holds or refuses it.
    func take(in work: UnitOfWork) throws -> FileResult {
        let transaction = work.transaction
        let row = try SourceRow.lock(source, in: transaction)
        if let known = try repetition(in: transaction) { return known }
        let statistics = SnapshotStatistics(
            asOf: asOf, digest: file.digest, rows: parsed.counts.accepted, totalUnits: parsed.totalUnits)
        if let live = row.live, asOf < live.asOf { return try refuse(live: live, in: work) }
        try BulkWork.prepare(transaction)
        try SnapshotStore.insert(record(.loading, message: ""), parsed, in: transaction)
        try SnapshotStore.load(parsed, into: file.snapshotID, in: transaction)
        let previous = try row.live.map { try impact(on: $0, in: transaction) }
        switch gateDecision(statistics: statistics, previous: previous, limits: format.limits) {
        case .accept, .unchanged: return try goLive(row, in: work)
        case .hold(let reasons):
            return try hold(reasons, row, codesToZero: previous?.skusGoingToZero ?? 0, in: work)
        case .refuseOlder(let asOf, let live):
            // Looked at before the rows were loaded, under the same lock.
            throw PostgresError.wrongState("a snapshot as of \(asOf) beside a live one as of \(live)")
        }
    }

    private func goLive(_ row: SourceRow, in work: UnitOfWork) throws -> FileResult {
        let applied = try SnapshotApplication(
            source: source, quantities: settings.quantities, zeroAfterFiles: format.zeroAfterFiles
        ).apply(file.snapshotID, over: row, in: work)
        var result = result(.live)
        result.sequence = applied.sequence
        result.changedSkus = applied.changedCodes
        result.message =
            "\(file.name) is live as of \(Self.text(asOf)): \(parsed.counts.accepted) rows, "
            + "\(parsed.skuCount) SKUs, \(applied.changedCodes) of them changed."
            + (applied.missingCodes == 0 ? "" : " SKUs that are missing from it and are kept: \(applied.missingCodes).")
            + remarks
        try SnapshotStore.say(result.message, of: file.snapshotID, in: work.transaction)
        return result
    }

    private func hold(
        _ reasons: [HoldReason], _ row: SourceRow, codesToZero: Int, in work: UnitOfWork
    ) throws -> FileResult {
        let told = reasons.map { StockHeld.Reason(rule: $0.configurationKey, text: "\($0)") }
        var result = result(.held)
        result.message =
            "\(file.name) is held and the last good numbers stay live. "
            + reasons.map(\.description).joined(separator: " ")
            + " Accept or reject it with 'stockbridge stock accept|reject "
            + "\(file.snapshotText) --reason …'." + remarks
        let text = String(decoding: try ContractCoding.encoder().encode(told), as: UTF8.self)
        try work.transaction.execute(
            "UPDATE snapshots SET state = 'held', reasons = $2, message = $3 WHERE id = $1",
            [.uuid(file.snapshotID), .text(text), .text(result.message)])
        let held = StockHeld(
            // A number is given when a snapshot goes live; this is the one it would get now.
            snapshotID: file.snapshotID, source: source, sequence: row.lastSequence + 1, asOf: asOf,
            receivedAt: file.receivedAt, fileName: file.name, reasons: told, rowsRead: parsed.counts.rowsRead,
            rowsSetAside: parsed.counts.setAside, codes: parsed.skuCount, codesToZero: codesToZero)
        try work.emit(
            Event(held, subject: source.rawValue, correlation: file.correlation, occurredAt: work.startedAt))
        return result
    }

    private func refuse(live: SourceRow.Live, in work: UnitOfWork) throws -> FileResult {
        var result = result(.refused)
        result.message =
            "\(file.name) is as of \(Self.text(asOf)), older than the live numbers of "
            + "\(Self.text(live.asOf)). It was kept and not used; send a newer file."
        try SnapshotStore.insert(record(.refused, message: result.message), parsed, in: work.transaction)
        try SourceAlerts(source: source).raise(
            .file, file: file.name, title: "Source \(source): \(file.name) is older than the live numbers",
            text: result.message, whatToDo: "Ask the sender for a newer file.", correlation: file.correlation, in: work)
        return result
    }

    /// The same content with the same time: nothing happens, whatever became of it then.
    private func repetition(in transaction: Transaction) throws -> FileResult? {
        let rows = try transaction.query(
            """
            SELECT id, state FROM snapshots
            WHERE source = $1 AND digest = $2 AND as_of = $3 AND state NOT IN ('loading', 'unreadable')
            ORDER BY received_at DESC LIMIT 1
            """, [.text(source.rawValue), .text(file.digest), .timestamp(asOf)])
        guard let row = rows.first else { return nil }
        var result = result(.unchanged)
        result.snapshot = try row.decode("id", as: String.self)
        let state = try row.decode("state", as: String.self)
        result.message =
            "\(file.name) has the content and the time of a file that came before and is \(state); "
            + "nothing was changed."
        return result
    }

    private func result(_ state: FileResult.State) -> FileResult {
        var result = FileResult(source: source, file: file.name, state: state, message: "")
        result.snapshot = file.snapshotText
        result.asOf = asOf
        result.count(parsed.counts, skus: parsed.skuCount)
        return result
    }

    private func record(_ state: SnapshotStore.State, message: String) -> SnapshotStore.Record {
        SnapshotStore.Record(source: source, file: file, asOf: asOf, state: state, message: message)
    }

    /// What a person may want to know beside the figures.
    private var remarks: String {
        let counts = parsed.counts
        var text = ""
        if counts.setAside > 0 {
            let first = parsed.setAside.first.map { " The first is line \($0.line): \($0.reason)" } ?? ""
            text += " \(counts.setAside) \(counts.setAside == 1 ? "row was" : "rows were") set aside.\(first)"
        }
        if counts.duplicatesMerged > 0 { text += " Repeated rows merged: \(counts.duplicatesMerged)." }
        if counts.negative > 0 { text += " Negative quantities, which count as 0: \(counts.negative)." }
        if counts.fractional > 0 { text += " Quantities with a fraction: \(counts.fractional)." }
        let unknown = parsed.warehouses.filter { !knownWarehouses.contains($0) }.map(\.rawValue).sorted()
        if !unknown.isEmpty {
            text += " The configuration does not know the warehouses \(unknown.prefix(10).joined(separator: ", "))."
        }
        return text
    }

    static func text(_ date: Date) -> String { UTCTimestamp.format(date) }

    /// What taking the snapshot would do to the SKUs that have stock now. Mirrors ``SnapshotApplication``.
    private func impact(on live: SourceRow.Live, in transaction: Transaction) throws -> PreviousSnapshot {
        let rows = try transaction.query(
            """
            SELECT count(*) FILTER (WHERE before > 0) AS stocked,
                   count(*) FILTER (WHERE before > 0 AND after <= 0) AS emptied
            FROM (
                SELECT coalesce(l.sku, r.sku) AS code, sum(coalesce(l.on_hand, 0)) AS before,
                       sum(CASE WHEN r.sku IS NOT NULL THEN r.on_hand
                                WHEN l.missing_for + 1 >= $3::int THEN 0 ELSE l.on_hand END) AS after
                FROM (SELECT * FROM live WHERE source = $1) AS l
                FULL JOIN (SELECT * FROM snapshot_rows WHERE snapshot_id = $2) AS r
                    ON r.sku = l.sku AND r.warehouse = l.warehouse
                GROUP BY 1
            ) AS codes
            """, [.text(source.rawValue), .uuid(file.snapshotID), .maybe(format.zeroAfterFiles, PostgresValue.int)])
        return PreviousSnapshot(
            statistics: SnapshotStatistics(
                asOf: live.asOf, digest: live.digest, rows: live.rows, totalUnits: live.units),
            skusWithStock: try rows[0].decode("stocked"), skusGoingToZero: try rows[0].decode("emptied"))
    }
}

extension HoldReason {
    /// The rule as the configuration names it.
    var configurationKey: String {
        switch self {
        case .rowChange: "max_row_change"
        case .goingToZero: "max_to_zero"
        case .unitsChange: "max_units_change"
        case .correction: "as_of"
        }
    }
}
