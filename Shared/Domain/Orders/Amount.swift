/// An exact amount of money, in millionths of the currency's unit; which currency is said once, by the order.
///
/// Money never passes through binary floating point: it is read from the platform's own decimal text. Arithmetic
/// saturates as ``Quantity``'s does.
public struct Amount: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    private var value: Quantity

    /// Nothing.
    public static let zero = Amount(micro: 0)

    /// Millionths of the currency's unit.
    public var micro: Int64 { value.micro }

    /// An amount of millionths of the currency's unit.
    public init(micro: Int64) { value = Quantity(micro: micro) }

    /// An amount of whole units.
    public init(_ units: Int) { value = Quantity(units) }

    /// Reads plain decimal text such as `410000`, `-3.5` or `410000.00`; nil if it is anything else, or has more than
    /// six decimal places that count.
    public init?(_ text: some StringProtocol) {
        guard let value = Quantity(text) else { return nil }
        self.value = value
    }

    /// Plain decimal text without trailing zeros.
    public var description: String { value.description }

    /// The amount without its sign.
    public var magnitude: Amount { micro < 0 ? -self : self }

    /// Whether it is zero.
    public var isZero: Bool { micro == 0 }

    /// The amount so many times; `count` may be fractional. Rounded half away from zero to the millionth; saturates.
    public func times(_ count: Quantity) -> Amount {
        let (high, low) = micro.magnitude.multipliedFullWidth(by: count.micro.magnitude)
        let unit = UInt64(Quantity.microPerUnit)
        guard high < unit else { return Amount(micro: (micro < 0) == (count.micro < 0) ? .max : .min) }
        var (quotient, remainder) = unit.dividingFullWidth((high, low))
        if remainder * 2 >= unit { quotient += 1 }
        let magnitude = Int64(clamping: quotient)
        return Amount(micro: (micro < 0) == (count.micro < 0) ? magnitude : -magnitude)
    }

    /// Orders by amount.
    public static func < (left: Self, right: Self) -> Bool { left.micro < right.micro }
    /// The sum, saturated.
    public static func + (left: Self, right: Self) -> Self { Amount(left.value + right.value) }
    /// The difference, saturated.
    public static func - (left: Self, right: Self) -> Self { Amount(left.value - right.value) }
    /// The same amount the other way.
    public static prefix func - (amount: Self) -> Self { Amount(Quantity.zero - amount.value) }
    /// Adds in place.
    public static func += (left: inout Self, right: Self) { left = left + right }

    private init(_ value: Quantity) { self.value = value }

    /// Reads a JSON string.
    public init(from decoder: any Decoder) throws {
        value = try Quantity(from: decoder)
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}

/// A currency by its ISO 4217 letters, such as `VND`.
public struct CurrencyCode: Identifier {
    /// The three letters as the shop writes them.
    public let rawValue: String
    /// Takes the text as it stands.
    public init(rawValue: String) { self.rawValue = rawValue }
}
