import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL

/// Takes in what the ERP was told: from then on a cancellation is more than the shop's word.
struct OrderReportedHandler: BatchHandler {
    let settings: CollectorSettings
    let logger: Logger

    func apply(_ events: [Event<OrderReported>], in work: UnitOfWork) throws {
        // By shop and then by time, so that rows are locked in one order and older batches come first.
        let batches = events.map(\.payload).sorted { ($0.shop, $0.sentAt, $0.part) < ($1.shop, $1.sentAt, $1.part) }
        for batch in batches where settings.shops[batch.shop] != nil { try apply(batch, in: work) }
    }

    private func apply(_ batch: OrderReported, in work: UnitOfWork) throws {
        var rows = try OrderStore.lock(batch.orders.map(\.externalID), of: batch.shop, in: work.transaction)
        var changes = LedgerBatch(shop: batch.shop, via: .pass)
        for entry in batch.orders {
            guard var row = rows[entry.externalID] else {
                logger.warning(
                    "a batch names an order that is not known",
                    metadata: ["batch": "\(batch.batchID)", "order": "\(batch.shop):\(entry.externalID)"])
                continue
            }
            let effects = row.record.reported(
                batchID: batch.batchID, sentAt: batch.sentAt, version: entry.version,
                asCancelled: entry.isCancellation)
            rows[entry.externalID] = row
            changes.reassessed.append((row, effects))
        }
        _ = try changes.write(in: work)
    }
}
