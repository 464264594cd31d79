/// What an event is called, and which shape its payload has.
public struct EventType: Sendable, Hashable, CustomStringConvertible {
    /// The name, for instance `stock.held`.
    public let name: String
    /// Raised when a consumer of the version before could not read the payload any more.
    public let majorVersion: Int
    /// Raised when something optional was added; consumers ignore what they do not know.
    public let minorVersion: Int

    /// A name with its version.
    public init(_ name: String, _ majorVersion: Int, _ minorVersion: Int) {
        self.name = name
        self.majorVersion = majorVersion
        self.minorVersion = minorVersion
    }

    /// The envelope's `dataschema`: a URI of the name and the major version, `urn:stockbridge:stock.held:1`.
    public var dataSchema: String { "\(Self.schemaPrefix)\(name):\(majorVersion)" }

    /// Reads a `dataschema`: the name and the major version, or nil if it is not one of ours.
    public static func parse(dataSchema: String) -> (name: String, majorVersion: Int)? {
        guard dataSchema.hasPrefix(schemaPrefix) else { return nil }
        let parts = dataSchema.dropFirst(schemaPrefix.count).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let version = Int(parts[1]) else { return nil }
        return (String(parts[0]), version)
    }

    /// Whether a payload with this `dataschema` can be read as this type: the same name and major version.
    public func accepts(dataSchema: String) -> Bool {
        guard let found = Self.parse(dataSchema: dataSchema) else { return false }
        return found.name == name && found.majorVersion == majorVersion
    }

    /// The name with its full version, `stock.held 1.0`.
    public var description: String { "\(name) \(majorVersion).\(minorVersion)" }

    private static let schemaPrefix = "urn:stockbridge:"
}

/// What an event says. The type stands with the payload, so that routing keys, schemas and fixtures cannot disagree.
public protocol EventPayload: Codable, Sendable {
    /// The name and version of this payload.
    static var type: EventType { get }
    /// The routing key that it travels under; the type's name, except where one type serves several topics.
    var topic: String { get }
}

extension EventPayload {
    /// The type's name.
    public var topic: String { Self.type.name }
}
