public import Domain
public import Foundation

/// Reads the stock of listings.
public protocol StockReading: Sendable {
    /// The most ids that one call of ``read(_:)`` takes.
    var maximumBatch: Int { get }

    /// Splits `ids` into sets that are one API call each, in a stable order, without repeats.
    func readGroups(_ ids: [ListingID]) -> [[ListingID]]

    /// What the shop has now, by stock id (``Listing/stockID``).
    ///
    /// Takes any ids up to ``maximumBatch``; makes one API call for each of their ``readGroups(_:)``. An id that the
    /// answer does not hold no longer exists at the shop. If a call fails the whole reading fails.
    func read(_ ids: [ListingID]) async throws(ConnectorError) -> [ListingID: ObservedStock]
}

/// What a shop says about one listing's stock.
public struct ObservedStock: Sendable, Equatable {
    /// Units available by the shop's count, which may be negative where it sells beyond its stock; nil where it does
    /// not track them.
    public let quantity: Quantity?
    /// Whether the shop tracks stock for it.
    public let managed: Bool
    /// Where the stock is kept now, if that is no longer the id that was asked for: the listing has begun to inherit
    /// its stock. Read the catalogue again.
    public let movedTo: ListingID?
    /// When the shop last changed the listing, by the shop's clock.
    public let updatedAt: Date?

    /// - Parameters:
    ///   - quantity: units available, nil where they are not tracked.
    ///   - managed: whether the shop tracks them.
    ///   - movedTo: where the stock is kept now, if not where it was asked for.
    ///   - updatedAt: by the shop's clock.
    public init(quantity: Quantity?, managed: Bool, movedTo: ListingID? = nil, updatedAt: Date? = nil) {
        self.quantity = quantity
        self.managed = managed
        self.movedTo = movedTo
        self.updatedAt = updatedAt
    }
}
