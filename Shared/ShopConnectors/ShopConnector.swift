public import Domain

/// One account at one shop platform.
///
/// A connector holds no numbers and takes no decisions: it says what the account can do, and does one call at a time.
/// What to write, when, and what to do after a failure is decided by whoever calls it. Every call announces itself to
/// the account's ``CallPacing`` first.
public protocol ShopConnector: Sendable {
    /// The shop's name in the configuration.
    var shop: ShopName { get }
    /// The platform's name in the configuration, such as `woocommerce`.
    var platform: String { get }
    /// Asks the shop what this account may do. Makes one call or a few; keep the answer and refresh it now and then.
    func discover() async throws(ConnectorError) -> ShopCapabilities
    /// Verifies webhooks of this shop; nil where no secret for them is configured. Needs no call.
    var webhookVerifying: (any WebhookVerifying)? { get }
}

/// What an account may do at its shop. A filled slot is the capability: no flag can drift away from the code.
public struct ShopCapabilities: Sendable {
    /// Reads everything the shop sells.
    public var catalogue: (any CatalogueReading)?
    /// Reads stock of listings by their ids.
    public var stockReading: (any StockReading)?
    /// Writes stock of listings.
    public var stockWriting: (any StockWriting)?
    /// Reads orders.
    public var orderReading: (any OrderReading)?
    /// Looks after the shop's webhooks.
    public var webhooks: (any WebhookManaging)?
    /// Whether the shop knows whole units only; then levels are rounded down before they are written.
    public var integersOnly: Bool
    /// What people should know about the account: sentences, without credentials. Empty if all is well.
    public var notes: [String]

    /// - Parameters:
    ///   - catalogue: nil where the platform or the account's rights do not allow it; so for the others.
    ///   - stockReading: see ``stockReading``.
    ///   - stockWriting: see ``stockWriting``.
    ///   - orderReading: see ``orderReading``.
    ///   - webhooks: see ``webhooks``.
    ///   - integersOnly: see ``integersOnly``.
    ///   - notes: see ``notes``.
    public init(
        catalogue: (any CatalogueReading)? = nil, stockReading: (any StockReading)? = nil,
        stockWriting: (any StockWriting)? = nil, orderReading: (any OrderReading)? = nil,
        webhooks: (any WebhookManaging)? = nil, integersOnly: Bool = true, notes: [String] = []
    ) {
        self.catalogue = catalogue
        self.stockReading = stockReading
        self.stockWriting = stockWriting
        self.orderReading = orderReading
        self.webhooks = webhooks
        self.integersOnly = integersOnly
        self.notes = notes
    }
}

extension ShopConnector {
    /// The capability in `slot`, or ``ConnectorError/unsupported(_:capability:)``.
    ///
    /// - Parameters:
    ///   - slot: such as `\.stockWriting`.
    ///   - capabilities: what ``discover()`` said.
    ///   - action: what it is wanted for; goes into the error.
    public func require<Slot>(
        _ slot: KeyPath<ShopCapabilities, Slot?>, of capabilities: ShopCapabilities, for action: ShopCall.Action
    ) throws(ConnectorError) -> Slot {
        guard let found = capabilities[keyPath: slot] else {
            throw .unsupported(ShopCall(shop: shop, action: action), capability: action.rawValue)
        }
        return found
    }
}
