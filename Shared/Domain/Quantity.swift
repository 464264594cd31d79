/// An exact amount of stock, in millionths of a unit.
///
/// Quantities are exact decimals in the domain and whole numbers only at shops that know nothing else (domain.md
/// section 2), so no floating point comes near them. Six decimal places cover grams of a kilogram and more.
///
/// Arithmetic with `+` and `-` saturates at the two ends of the range (about 9.2 million million units): a total that
/// large is a mistake of the file, and the file gate reports it; it must not stop the process. Use
/// ``addingReportingOverflow(_:)`` where the mistake has to be seen.
public struct Quantity: Sendable, Hashable {
    /// Millionths of a unit.
    public let micro: Int64

    /// The number of millionths in one unit.
    public static let microPerUnit: Int64 = 1_000_000

    /// No units.
    public static let zero = Quantity(micro: 0)

    /// The largest quantity that can be held.
    public static let max = Quantity(micro: .max)

    /// The smallest quantity that can be held.
    public static let min = Quantity(micro: .min)

    /// A quantity of `micro` millionths of a unit.
    @inlinable
    public init(micro: Int64) {
        self.micro = micro
    }

    /// A quantity of whole units; saturates at the ends of the range.
    @inlinable
    public init(_ units: Int) {
        let (product, overflow) = Int64(units).multipliedReportingOverflow(by: Self.microPerUnit)
        micro = overflow ? (units < 0 ? .min : .max) : product
    }

    /// Whether it has no fraction of a unit.
    public var isWhole: Bool { micro % Self.microPerUnit == 0 }

    /// Whether it is below zero.
    @inlinable
    public var isNegative: Bool { micro < 0 }

    /// This quantity, or zero if it is negative: negative on-hand counts as 0 (domain.md section 2).
    @inlinable
    public var clampedToZero: Quantity { micro < 0 ? .zero : self }

    /// Whole units, rounded down (toward minus infinity), never up.
    public var flooredUnits: Int {
        let quotient = micro / Self.microPerUnit
        return Int(micro % Self.microPerUnit < 0 ? quotient - 1 : quotient)
    }

    /// How many whole packs of `units` each fit into this quantity, rounded down; 0 if it is negative.
    ///
    /// - Parameter units: units per pack, at least 1; anything less gives 0.
    public func wholePacks(of units: Quantity) -> Int {
        guard units.micro > 0, micro > 0 else { return 0 }
        return Int(micro / units.micro)
    }

    /// The sum, and whether it left the range (then `partialValue` is the saturated end).
    @inlinable
    public func addingReportingOverflow(_ other: Quantity) -> (partialValue: Quantity, overflow: Bool) {
        let (sum, overflow) = micro.addingReportingOverflow(other.micro)
        guard overflow else { return (Quantity(micro: sum), false) }
        return (Quantity(micro: other.micro < 0 ? .min : .max), true)
    }

    /// The product with a whole number, saturated at the ends of the range.
    public func multiplied(by factor: Int) -> Quantity {
        let (product, overflow) = micro.multipliedReportingOverflow(by: Int64(factor))
        return Quantity(micro: overflow ? ((micro < 0) == (factor < 0) ? .max : .min) : product)
    }

    /// The sum, saturated at the ends of the range.
    @inlinable
    public static func + (left: Quantity, right: Quantity) -> Quantity {
        left.addingReportingOverflow(right).partialValue
    }

    /// The difference, saturated at the ends of the range.
    @inlinable
    public static func - (left: Quantity, right: Quantity) -> Quantity {
        let (difference, overflow) = left.micro.subtractingReportingOverflow(right.micro)
        return Quantity(micro: overflow ? (right.micro < 0 ? .max : .min) : difference)
    }

    /// Adds in place, saturated at the ends of the range.
    @inlinable
    public static func += (left: inout Quantity, right: Quantity) { left = left + right }

    /// Subtracts in place, saturated at the ends of the range.
    @inlinable
    public static func -= (left: inout Quantity, right: Quantity) { left = left - right }
}

extension Quantity: Comparable {
    /// Orders by amount.
    @inlinable
    public static func < (left: Quantity, right: Quantity) -> Bool { left.micro < right.micro }
}

extension Quantity: ExpressibleByIntegerLiteral {
    /// Whole units.
    public init(integerLiteral value: Int) { self.init(value) }
}

// MARK: - Decimal text

extension Quantity {
    /// Reads plain decimal text such as `12`, `-3.5` or `+0.250`: ASCII digits, one point, no exponent and no grouping.
    ///
    /// Returns nil unless the text is exactly representable: zeros beyond the sixth decimal place are fine, any other
    /// digit there is not. Surrounding blanks are not accepted; which separators a file uses is the reader's business.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let parsed = copy.withUTF8({ Quantity(decimal: $0) }) else { return nil }
        self = parsed
    }

    /// The same from ASCII bytes, without a copy, for readers of large files.
    ///
    /// - Parameter bytes: the text; only read during the call.
    public init?(decimal bytes: UnsafeBufferPointer<UInt8>) {
        var index = 0
        var negative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            index = 1
        }
        // Accumulated below zero, because the negative range is one larger.
        var value: Int64 = 0
        var digits = 0
        var decimals = -1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: ".") {
                guard decimals < 0 else { return nil }
                decimals = 0
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            digits += 1
            if decimals >= 0 {
                decimals += 1
                if decimals > 6 {
                    guard byte == UInt8(ascii: "0") else { return nil }
                    continue
                }
            }
            guard Self.append(Int64(byte - UInt8(ascii: "0")), to: &value) else { return nil }
        }
        guard digits > 0 else { return nil }
        for _ in Swift.min(Swift.max(decimals, 0), 6)..<6 {
            guard Self.append(0, to: &value) else { return nil }
        }
        if !negative && value == .min { return nil }
        self.init(micro: negative ? value : -value)
    }

    private static func append(_ digit: Int64, to value: inout Int64) -> Bool {
        let (tenfold, tooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, beyond) = tenfold.subtractingReportingOverflow(digit)
        value = sum
        return !tooLarge && !beyond
    }
}

extension Quantity: CustomStringConvertible {
    /// Plain decimal text without trailing zeros: `12`, `-3.5`, `0.25`.
    public var description: String {
        let magnitude = micro.magnitude
        let units = magnitude / UInt64(Self.microPerUnit)
        let fraction = magnitude % UInt64(Self.microPerUnit)
        let sign = micro < 0 ? "-" : ""
        if fraction == 0 { return "\(sign)\(units)" }
        var decimals = String(fraction)
        decimals = String(repeating: "0", count: 6 - decimals.utf8.count) + decimals
        while decimals.utf8.last == UInt8(ascii: "0") { decimals.removeLast() }
        return "\(sign)\(units).\(decimals)"
    }
}

extension Quantity: Codable {
    /// Reads a JSON string such as `"12.5"`: numbers would pass through binary floating point on the way.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Quantity(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not an exact decimal with at most six places")
        }
        self = value
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
