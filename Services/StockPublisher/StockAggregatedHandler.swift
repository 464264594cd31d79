import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Takes in what a source says, works out the levels of the shelves concerned, and opens a run for every shop.
struct StockAggregatedHandler: BatchHandler {
    let settings: PublisherSettings
    let levels: LevelWriter
    let remaps: RemapRequests

    func apply(_ events: [Event<StockAggregated>], in work: UnitOfWork) throws {
        // Headers first, so that a run exists before its pushes; otherwise the order does not matter.
        for event in events {
            if case .header(let header) = event.payload { try apply(header, event.correlation, in: work) }
        }
        for event in events {
            guard case .chunk(let chunk) = event.payload else { continue }
            let hasNewCodes = try StockStore.apply(chunk, in: work.transaction)
            if hasNewCodes {
                try remaps.request(
                    shops: Array(settings.shops.keys), cause: "stock", id: chunk.snapshot.id.uuidString.lowercased(),
                    at: chunk.snapshot.asOf, in: work)
            }
            let cause = LevelCause(
                kind: "stock", id: chunk.snapshot.id.uuidString.lowercased(), at: chunk.snapshot.asOf)
            try levels.recompute(.codes(chunk.skus.map(\.sku)), because: cause, in: work)
        }
        for source in Set(events.map(\.payload.snapshot.source)).sorted() { try levels.restate(source, in: work) }
    }

    private func apply(_ header: StockAggregated.Header, _ correlation: String, in work: UnitOfWork) throws {
        guard try StockStore.apply(header, in: work.transaction) else { return }
        for shop in settings.shops.values.sorted(by: { $0.name < $1.name }) {
            try RunStore.begin(
                Run(
                    shop: shop.name, cause: "snapshot", source: header.snapshot.source, snapshot: header.snapshot.id,
                    beganAt: work.startedAt, deadlineAt: work.startedAt.addingTimeInterval(shop.runDeadlineSeconds)),
                in: work.transaction)
            // Where nothing compares and sets, what was sold is best known before much is written.
            if shop.collectsOrders { try FeedStore.askForOrders(of: shop.name, in: work) }
            // What the shops refused or what failed before is tried again by a new run.
            try levels.requestAllDue(of: shop.name, retryRejected: true, correlation: correlation, in: work)
        }
    }
}
