/// A value that must not be printed, logged or stored.
///
/// Printing, interpolating, dumping or mirroring it shows `<secret>`; it is not Codable, so it cannot slip into JSON.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps a value.
    public init(_ value: String) { self.value = value }

    /// The value itself, for the one call that hands it to a server.
    public func reveal() -> String { value }

    /// Always `<secret>`.
    public var description: String { "<secret>" }

    /// Always `<secret>`.
    public var debugDescription: String { "<secret>" }

    /// Shows nothing of the value.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}
