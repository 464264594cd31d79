public import Domain

/// Writes the stock of listings.
public protocol StockWriting: Sendable {
    /// The most writes that one API call takes.
    var maximumBatch: Int { get }

    /// Whether the platform compares ``StockWrite/expected`` with what it has in the moment of writing, so that no sale
    /// in between is overwritten.
    var comparesAndSets: Bool { get }

    /// Splits `ids` into sets that each fit into one API call, in a stable order, without repeats: WooCommerce takes
    /// simple products together, but variations only with those of the same parent.
    func groups(_ ids: [ListingID]) -> [[ListingID]]

    /// Writes absolute quantities with exactly one API call.
    ///
    /// Every id that was given is in the result. Nothing is retried here. When this throws, look at
    /// ``ConnectorError/mayHaveBeenApplied`` before anything else is written to the same shelves.
    ///
    /// - Parameter writes: one of ``groups(_:)``, each id once; anything else is
    ///   ``ConnectorError/invalidCall(_:detail:)``
    ///   and is not sent.
    func write(_ writes: [StockWrite]) async throws(ConnectorError) -> [ListingID: StockWriteResult]
}

/// One absolute quantity to be written.
public struct StockWrite: Sendable, Equatable {
    /// Where the stock is kept (``Listing/stockID``).
    public let id: ListingID
    /// Units available from now on.
    public let quantity: Quantity
    /// Units that the shop has to have before, or nothing is written; nil writes in any case. Only where the platform
    /// compares (``StockWriting/comparesAndSets``).
    public let expected: Quantity?
    /// Names this attempt: the same key again with the same content is carried out once, where the platform knows such
    /// keys. A changed attempt needs a new one.
    public let attempt: String?

    /// - Parameters:
    ///   - id: where the stock is kept.
    ///   - quantity: units available from now on.
    ///   - expected: units it has to have before; nil for any.
    ///   - attempt: names this attempt.
    public init(id: ListingID, quantity: Quantity, expected: Quantity? = nil, attempt: String? = nil) {
        self.id = id
        self.quantity = quantity
        self.expected = expected
        self.attempt = attempt
    }
}

/// What became of one write.
public enum StockWriteResult: Sendable, Equatable {
    /// The shop answers that it has this quantity now, which is what was asked.
    case confirmed(Quantity)
    /// The shop took the write but answers with another quantity, or none: something there changes what is written (an
    /// extension, a sale in the same moment, stock management that cannot be turned on). Read back before writing
    /// again.
    case altered(answered: Quantity?)
    /// The shop refused this one and says why in its own words; nothing was changed. ``isTransient`` says whether the
    /// same write may succeed later.
    case rejected(code: String, message: String)
    /// The shop had another quantity than ``StockWrite/expected``; nothing was changed. What it has now, if it says so.
    case mismatch(observed: Quantity?)
    /// Another row of the same call was refused, and the platform then writes none: nothing was changed here. Write it
    /// again at once, under a new ``StockWrite/attempt``.
    case notWritten
    /// The answer does not mention it, so it may or may not have been applied. Read back.
    case unanswered

    /// Whether the same write may succeed later without anybody's doing. A rejection is final, except that of a shop
    /// whose own code says that it failed inside.
    public var isTransient: Bool {
        switch self {
        case .confirmed, .altered, .unanswered, .mismatch, .notWritten: true
        case .rejected(let code, _): code.contains("internal_server_error") || code.contains("db_error")
        }
    }
}
