/// What a message is about, in the words of the business: what people search dead letters by. No personal data.
public struct BusinessKeys: Sendable, Hashable {
    /// At most so many items are kept of one message.
    public static let maximumItems = 1_000

    /// The shop, if it is about one.
    public var shop: String?
    /// The order as `shop:id`, if it is about one.
    public var order: String?
    /// The batch of orders or the name of the source: what the ERP knows it by.
    public var erp: String?
    /// ERP codes, and shelves as `shop/listing`.
    public var items: [String]

    /// Keys; without arguments there are none.
    public init(shop: String? = nil, order: String? = nil, erp: String? = nil, items: [String] = []) {
        self.shop = shop
        self.order = order
        self.erp = erp
        self.items = Array(items.prefix(Self.maximumItems))
    }
}

/// A payload that can say what it is about.
public protocol BusinessKeyed {
    /// What it is about.
    var businessKeys: BusinessKeys { get }
}

/// Reads and checks a payload whose type only its envelope says. Knows every payload of every service.
public enum PayloadCatalogue {
    /// The types that there are, by name.
    public static let all: [any EventPayload.Type] =
        [
            StockAggregated.self, StockHeld.self, StockPublished.self, OrderChanged.self, OrderHeld.self,
            OrdersCollected.self, OrderReported.self, ReportReady.self, MappingChanged.self,
            ReconciliationCompleted.self, AlertRaised.self, AlertCleared.self, MessageSettled.self, Command.self,
            PushWork.self, RemapWork.self, RecomputeWork.self, PassWork.self, FetchWork.self, ReassessWork.self,
            RepublishWork.self, ReportWork.self, ReadBackWork.self, MailWork.self,
        ]

    private static let byName: [String: any EventPayload.Type] = Dictionary(
        uniqueKeysWithValues: all.map { ($0.type.name, $0) })

    /// Decodes a body by its `dataschema`.
    ///
    /// - Throws: ``PayloadProblem`` if the schema is unknown, of another major version, or the body is not of it.
    public static func read(dataSchema: String, body: [UInt8]) throws(PayloadProblem) -> any EventPayload {
        guard let (name, version) = EventType.parse(dataSchema: dataSchema), let type = byName[name] else {
            throw .unknownSchema(String(dataSchema.prefix(80)))
        }
        guard version == type.type.majorVersion else {
            throw .otherVersion(String(dataSchema.prefix(80)), known: type.type.dataSchema)
        }
        do {
            return try decode(type, body)
        } catch {
            throw .invalid("\(error)")
        }
    }

    private static func decode<Payload: EventPayload>(
        _ type: Payload.Type, _ body: [UInt8]
    ) throws(ContractError) -> any EventPayload {
        try ContractCoding.decode(Payload.self, from: body)
    }

    /// What a message is about; of a body that cannot be read only the shop that it names, if it does.
    public static func keys(dataSchema: String?, body: [UInt8]) -> BusinessKeys {
        if let dataSchema, let payload = try? read(dataSchema: dataSchema, body: body) {
            return (payload as? any BusinessKeyed)?.businessKeys ?? BusinessKeys()
        }
        let named = try? ContractCoding.decode(ShopNamed.self, from: body)
        return BusinessKeys(shop: named.map { String($0.shop.prefix(100)) })
    }

    /// Reads one field and makes nothing of the rest, which may be of any size and kind.
    private struct ShopNamed: Decodable { let shop: String }
}

/// Why a body is not what its schema says.
public enum PayloadProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// No payload of that name is known.
    case unknownSchema(String)
    /// A major version that this release does not read.
    case otherVersion(String, known: String)
    /// The body is not such a payload; the sentence names the place, never the value.
    case invalid(String)

    /// What is wrong.
    public var description: String {
        switch self {
        case .unknownSchema(let schema): "The schema '\(schema)' is not one of ours."
        case .otherVersion(let schema, let known): "The schema is '\(schema)'; this release reads '\(known)'."
        case .invalid(let detail): detail
        }
    }
}
