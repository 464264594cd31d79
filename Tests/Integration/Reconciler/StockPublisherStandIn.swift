import Contracts
import Domain
import Foundation
import Messaging
import RabbitMQ
import Synchronization
import TestStack
import Testing

/// Says what stock-publisher would: statements at the end of a run, and on request. Test equipment.
final class StockPublisherStandIn: Sendable {
    private let system: ScratchSystem
    private let clock: MovableClock
    private let publisher: Publisher
    private let state = Mutex<State>(State())

    private struct State {
        var listings: [ShopName: [PublishedListing]] = [:]
        var shadow: Set<ShopName> = []
        var repairs: [JSONValue] = []
        var requests = 0
        var beforeAnswer: (@Sendable () async throws -> Void)?
    }

    init(system: ScratchSystem, clock: MovableClock) {
        self.system = system
        self.clock = clock
        publisher = Publisher(system.broker(.stockPublisher))
    }

    func close() async { await publisher.close() }

    /// What the shop's listings should show from now on.
    func state(_ listings: [PublishedListing], of shop: ShopName, inShadow: Bool = false) {
        state.withLock { state in
            state.listings[shop] = listings
            if inShadow { state.shadow.insert(shop) } else { state.shadow.remove(shop) }
        }
    }

    /// Is done before the next request for a statement is answered.
    func beforeAnswering(_ action: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.beforeAnswer = action }
    }

    /// Shelves that were asked to be pushed again.
    var repairs: [JSONValue] { state.withLock { $0.repairs } }
    /// Requests for statements.
    var requests: Int { state.withLock { $0.requests } }

    /// The end of a shop's run for a snapshot.
    func endRun(of shop: ShopName, snapshot: UUID, chunk: Int = StockPublished.maximumListings) async throws {
        try await publish(
            shop, id: UUID(), request: nil, cause: "snapshot", snapshot: snapshot, only: nil, chunk: chunk)
    }

    /// The end of a run after a shop was let out of shadow.
    func release(_ shop: ShopName) async throws {
        try await publish(shop, id: UUID(), request: nil, cause: "release", snapshot: nil, only: nil)
    }

    private func publish(
        _ shop: ShopName, id: UUID, request: UUID?, cause: String, snapshot: UUID?, only: Set<String>?,
        chunk: Int = StockPublished.maximumListings
    ) async throws {
        let (all, isShadow) = state.withLock { ($0.listings[shop] ?? [], $0.shadow.contains(shop)) }
        let listings = all.filter { only?.contains($0.listing.rawValue) ?? true }
        let statement = StockPublished.Statement(id: id, shop: shop, takenAt: clock.now, request: request)
        var counts = OutcomeCounts()
        counts.listed = listings.count
        counts.unchanged = listings.count
        let parts = stride(from: 0, to: listings.count, by: chunk).map { start in
            Array(listings[start..<min(start + chunk, listings.count)])
        }
        let newest = StockPublished.Source(
            source: "erp", asOf: MovableClock.start.addingTimeInterval(-600), receivedAt: MovableClock.start)
        // The header last: nothing promises an order of arrival.
        var payloads = parts.enumerated().map { index, part in
            StockPublished.chunk(.init(statement: statement, part: index + 1, listings: part))
        }
        payloads.append(
            .header(
                .init(
                    statement: statement, cause: cause, snapshotID: snapshot, sources: [newest],
                    counts: only == nil ? counts : nil, chunks: parts.count, isShadow: isShadow)))
        let now = clock.now
        let messages = try payloads.map { payload in
            try OutboxMessage(
                Event(payload, subject: shop.rawValue, correlation: "test", occurredAt: now), from: .stockPublisher
            ).outgoing
        }
        try #require(try await publisher.publish(messages).allSatisfy { $0 == .confirmed })
    }

    /// Answers commands until it is cancelled.
    func answer() async throws {
        while !Task.isCancelled {
            guard let delivery = try await system.take(1, from: "stock-publisher", within: .seconds(1)).first,
                let command = try? ContractCoding.decode(Command.self, from: delivery.body)
            else { continue }
            switch command.verb {
            case .republish:
                let action = state.withLock { state in
                    state.requests += 1
                    return state.beforeAnswer
                }
                try await action?()
                let listings = command.arguments["listings"]?.array.map { Set($0.compactMap(\.string)) }
                let request = try #require(command.arguments["request"]?.string.flatMap(UUID.init(uuidString:)))
                try await publish(
                    ShopName(rawValue: command.arguments["shop"]?.string ?? ""), id: request, request: request,
                    cause: "request", snapshot: nil, only: listings)
            case .repair:
                let shelves = command.arguments["shelves"]?.array ?? []
                state.withLock { $0.repairs += shelves }
            default: continue
            }
        }
    }
}

extension PublishedListing {
    /// A listing that shows what it should, by our tables.
    static func right(_ listing: String, sku: String, units: Int) -> PublishedListing {
        PublishedListing(
            listing: ListingID(rawValue: listing), shelf: ListingID(rawValue: listing), sku: ShopSKU(rawValue: sku),
            title: "Product \(listing)", mapping: "mapped", erpCode: ERPCode(rawValue: sku), wanted: units, version: 1,
            asOf: MovableClock.start.addingTimeInterval(-600), sent: units, confirmed: units, confirmedVersion: 1,
            expectedAtShop: units, outcome: "unchanged")
    }
}
