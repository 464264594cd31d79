import Concurrency
import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import ShopSimulators
import Synchronization
import TestStack
import Testing

/// A clock that a test moves forward.
final class TestClock: Sendable {
    private let offset = Mutex<TimeInterval>(0)

    var clock: WallClock { WallClock { [self] in now } }
    var now: Date { Date().addingTimeInterval(offset.withLock { $0 }) }

    /// Moves it, and with it the clocks of these shops, which refuse requests of another time.
    func advance(minutes: Double, _ simulators: some Sequence<ShopSimulator> = []) {
        let ahead = offset.withLock { offset in
            offset += minutes * 60
            return offset
        }
        for simulator in simulators { simulator.setClock(offsetSeconds: ahead) }
    }
}

/// An order as a test describes it: one line for each listing.
struct TestOrder: Sendable {
    var shop: ShopName
    var id: String
    /// Listing, ERP code, quantity; the line's id is the listing's.
    var lines: [(listing: String, code: String?, quantity: Int)]
    var revision = 1
    var placedAt = Date()
    var updatedAt: Date?
    var change = OrderChanged.Change.created
    var cancellation: OrderCancellation?
    var awaitsPayment = false
    var reservedUntil: Date?
    /// ERP units of one unit of the listing.
    var unitsPerPack = 1

    var payload: OrderChanged {
        let order = Order(
            shop: shop, externalID: id, number: id, placedAt: placedAt, updatedAt: updatedAt ?? placedAt,
            status: OrderStatus(
                shopStatus: "processing", payment: awaitsPayment ? .pending : .paid,
                isCancelled: cancellation != nil, awaitsPayment: awaitsPayment),
            currency: "VND",
            lines: lines.map { line in
                OrderLine(
                    id: line.listing, listing: ListingID(rawValue: line.listing), sku: nil, name: "",
                    quantity: Quantity(line.quantity), orderedQuantity: Quantity(line.quantity), unitNet: .zero,
                    unitGross: .zero, total: .zero)
            }, totals: OrderTotals(total: .zero))
        return OrderChanged(
            change: change, order: order, version: OrderVersion(revision: revision, stateVersion: 0),
            lines: lines.map { line in
                OrderLineMapping(
                    lineID: line.listing, erpCode: line.code.map(ERPCode.init(rawValue:)), unitsPerPack: unitsPerPack,
                    erpQuantity: Quantity(line.quantity * unitsPerPack))
            }, cancellation: cancellation, learntAt: max(placedAt, updatedAt ?? placedAt).addingTimeInterval(1),
            reservedUntil: reservedUntil)
    }
}

extension PublisherBench {
    private func publish(_ payload: some EventPayload, _ subject: String, from service: ServiceName) async throws {
        let message = try OutboxMessage(
            Event(payload, subject: subject, correlation: "test", occurredAt: Date()), from: service)
        let outcomes = try await (service == .erpBridge ? bridge : collector).publish([message.outgoing])
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    /// An order as order-collector tells it.
    func order(_ order: TestOrder) async throws {
        try await publish(order.payload, "\(order.shop):\(order.id)", from: .orderCollector)
    }

    /// Everything of a shop is known up to then.
    func collected(_ shop: ShopName, upTo: Date) async throws {
        try await publish(
            OrdersCollected(
                shop: shop, kind: .pass, completeUpTo: upTo, seen: 0, changed: 0, collectedAt: upTo), shop.rawValue,
            from: .orderCollector)
        try #require(
            try await eventually {
                try await system.number(
                    "SELECT count(*) FROM publishing.feeds WHERE shop = $1 AND complete_up_to >= $2",
                    [.text(shop.rawValue), .timestamp(upTo.addingTimeInterval(-0.001))]) == 1
            })
    }

    /// Passes over the shops' orders, a second apart by their own time, until something holds. One that arrives while a
    /// push is being decided may go unnoticed; the next makes up for it.
    func passes(
        over shops: [ShopName], from upTo: Date, until condition: () async throws -> Bool
    ) async throws -> Bool {
        var upTo = upTo
        return try await eventually(every: .seconds(1)) {
            for shop in shops { try await collected(shop, upTo: upTo) }
            upTo += 1
            return try await condition()
        }
    }

    /// A batch with one order was sent to the ERP.
    func reported(_ order: TestOrder, sentAt: Date) async throws {
        try await publish(
            OrderReported(
                batchID: "\(order.shop)-\(order.id)", shop: order.shop, sentAt: sentAt, part: 1, parts: 1,
                orders: [
                    .init(
                        externalID: order.id, version: OrderVersion(revision: order.revision, stateVersion: 0),
                        quantities: Dictionary(
                            uniqueKeysWithValues: order.lines.map {
                                ($0.listing, Quantity($0.quantity * order.unitsPerPack))
                            }))
                ]), order.shop.rawValue, from: .erpBridge)
    }

    /// Waits until a shelf wants a level, whether or not it may be pushed.
    func wants(_ units: Int, of listing: String, in shop: ShopName = "hanoi") async throws -> Bool {
        try await eventually {
            try await system.number(
                "SELECT coalesce(wanted, -1) FROM publishing.shelves WHERE shop = $1 AND shelf = $2",
                [.text(shop.rawValue), .text(listing)]) == units
        }
    }

    /// How many writes of an item a shop has seen.
    func writes(of listing: String, in shop: ShopName) throws -> Int { try levels(of: listing, in: shop).count }

    /// Waits until nothing is due or asked for any more.
    func isQuiet() async throws -> Bool {
        try await eventually {
            try await system.number(
                """
                SELECT (SELECT count(*) FROM publishing.outbox)
                    + (SELECT count(*) FROM publishing.shelves WHERE due OR claim IS NOT NULL)
                """) == 0
        }
    }
}
