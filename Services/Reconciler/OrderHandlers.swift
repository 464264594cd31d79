import Contracts
import Domain
import Messaging

/// Keeps what orders say, as far as it explains stock and is counted.
struct OrderHandler: BatchHandler {
    func apply(_ events: [Event<OrderChanged>], in work: UnitOfWork) throws {
        let sorted = events.map(\.payload).sorted {
            ($0.order.reference, $0.version) < ($1.order.reference, $1.version)
        }
        for event in sorted { try OrderStore.save(event, in: work.transaction) }
    }
}

/// Keeps what was handed to the ERP.
struct ReportedHandler: BatchHandler {
    func apply(_ events: [Event<OrderReported>], in work: UnitOfWork) throws {
        let sorted = events.map(\.payload).sorted { ($0.shop, $0.batchID, $0.part) < ($1.shop, $1.batchID, $1.part) }
        for event in sorted { try OrderStore.save(event, in: work.transaction) }
    }
}

/// Keeps how far the shops' orders are known.
struct CollectedHandler: BatchHandler {
    func apply(_ events: [Event<OrdersCollected>], in work: UnitOfWork) throws {
        for event in events.map(\.payload).sorted(by: { $0.shop < $1.shop }) {
            try OrderStore.save(event, in: work.transaction)
        }
    }
}
