/// The part of what can be sold that a shop is offered, as an exact decimal between 0 and 1.
public struct Share: Sendable, Hashable {
    /// Millionths: 1,000,000 is everything.
    public let millionths: Int

    /// Everything.
    public static let whole = Share(unchecked: 1_000_000)
    /// Nothing.
    public static let none = Share(unchecked: 0)

    private init(unchecked millionths: Int) { self.millionths = millionths }

    /// A share of so many millionths; nil unless between 0 and 1,000,000.
    public init?(millionths: Int) {
        guard (0...1_000_000).contains(millionths) else { return nil }
        self.millionths = millionths
    }

    /// Reads decimal text such as `0.25`; nil unless exact and between 0 and 1.
    public init?(_ text: some StringProtocol) {
        guard let value = Quantity(text), let share = Share(millionths: Int(value.micro)) else { return nil }
        self = share
    }

    /// This share of a quantity, in whole units, rounded down and never below 0. Exact: the product is 128 bits wide.
    public func flooredUnits(of quantity: Quantity) -> Int {
        guard quantity.micro > 0 else { return 0 }
        let product = UInt64(quantity.micro).multipliedFullWidth(by: UInt64(millionths))
        // Both factors are in millionths, so one unit is 10^12; a share of at most 1 keeps the quotient in range.
        return Int((1_000_000_000_000 as UInt64).dividingFullWidth(product).quotient)
    }
}

extension Share: CustomStringConvertible {
    /// Plain decimal text: `1`, `0.25`.
    public var description: String { Quantity(micro: Int64(millionths)).description }
}

extension Share: Codable {
    /// Reads a JSON string such as `"0.25"`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let share = Share(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a decimal between 0 and 1")
        }
        self = share
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
