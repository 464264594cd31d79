/// Money in millionths of its currency's unit; the currency stands beside it.
struct Amount: Sendable, Hashable, Comparable {
    var micro: Int

    static let zero = Amount(micro: 0)

    /// Whole units of the currency.
    static func units(_ units: Int) -> Amount { Amount(micro: units * 1_000_000) }

    static func + (left: Amount, right: Amount) -> Amount { Amount(micro: left.micro + right.micro) }
    static func - (left: Amount, right: Amount) -> Amount { Amount(micro: left.micro - right.micro) }
    static func * (left: Amount, right: Int) -> Amount { Amount(micro: left.micro * right) }
    static func += (left: inout Amount, right: Amount) { left.micro += right.micro }
    static func < (left: Amount, right: Amount) -> Bool { left.micro < right.micro }

    /// This amount times a fraction, rounded half away from zero to what a currency with so many decimals has.
    func times(_ numerator: Int, over denominator: Int, decimals: Int) -> Amount {
        guard denominator > 0 else { return .zero }
        let step = Self.step(decimals)
        let (high, low) = micro.multipliedFullWidth(by: numerator)
        let wide = denominator * step
        // More than 128 bits of money do not occur; where they would, the remainder below still fits.
        let (quotient, remainder) = wide.dividingFullWidth((high, low))
        return Amount(micro: (quotient + (remainder * 2 >= wide ? 1 : remainder * 2 <= -wide ? -1 : 0)) * step)
    }

    private static func step(_ decimals: Int) -> Int {
        (0..<max(0, 6 - decimals)).reduce(1) { step, _ in step * 10 }
    }
}

extension Amount {
    /// `190000`, `-12.5`; at most six decimals. Nil for anything else.
    init?(_ text: String) {
        let negative = text.hasPrefix("-")
        let parts = text.dropFirst(negative ? 1 : 0).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        guard let whole = parts.first.flatMap({ $0.hasPrefix("+") ? nil : Int($0) }), fraction.utf8.count <= 6,
            fraction.utf8.allSatisfy({ (48...57).contains($0) }), (0...1_000_000_000_000).contains(whole),
            let millionths = Int(fraction + String(repeating: "0", count: 6 - fraction.utf8.count))
        else { return nil }
        micro = (whole * 1_000_000 + millionths) * (negative ? -1 : 1)
    }

    /// Exact, with at least so many decimals: `410000`, `410000.0`, `12.50`.
    func text(minimumDecimals: Int = 0) -> String {
        let magnitude = micro.magnitude
        var fraction = String(magnitude % 1_000_000)
        fraction = String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
        while fraction.utf8.count > minimumDecimals && fraction.hasSuffix("0") { fraction.removeLast() }
        return (micro < 0 ? "-" : "") + String(magnitude / 1_000_000) + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// Digits after the point that a currency has; two where it is not known.
    static func decimals(of currency: String) -> Int {
        ["VND", "JPY", "KRW", "CLP", "XPF", "XOF"].contains(currency) ? 0 : 2
    }
}
