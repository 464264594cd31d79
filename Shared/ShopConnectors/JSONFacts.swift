internal import Domain
internal import Foundation

/// Why a fact of an answer cannot be read: names the place, never the value.
struct UnreadableFact: Error, Equatable, CustomStringConvertible {
    /// Such as `line_items[2].total`.
    let place: String
    /// Such as `is missing`.
    let problem: String

    var description: String { "the field \(place) \(problem)" }
}

/// A value of an answer and where it stands in it.
struct JSONFacts {
    let tree: JSONTree
    var place = ""

    /// The member of an object; null if there is none.
    subscript(_ key: String) -> JSONFacts {
        guard case .object(let members) = tree else { return JSONFacts(tree: .null, place: name(key)) }
        return JSONFacts(tree: members[key] ?? .null, place: name(key))
    }

    private func name(_ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

    /// Whether anything stands there.
    var exists: Bool { tree != .null }
    /// Whether it says yes.
    var isTrue: Bool { tree == .boolean(true) }

    /// An array's elements, none where nothing stands. PHP writes an array with gaps as an object with numbers for
    /// keys; that is read as what it is.
    func list() throws(UnreadableFact) -> [JSONFacts] {
        switch tree {
        case .null: return []
        case .array(let elements):
            return elements.enumerated().map { JSONFacts(tree: $1, place: "\(place)[\($0)]") }
        case .object(let members):
            let numbered = members.compactMap { key, value in Int(key).map { ($0, value) } }
            guard numbered.count == members.count else { throw problem("is not a list") }
            return numbered.sorted { $0.0 < $1.0 }.map { JSONFacts(tree: $1, place: "\(place)[\($0)]") }
        default: throw problem("is not a list")
        }
    }

    /// Text, or a number as it was written. Blank counts as missing.
    func text() throws(UnreadableFact) -> String {
        guard let text = textIfAny else { throw problem(exists ? "is not text" : "is missing") }
        return text
    }

    /// Text that names something: short enough to be a key of a table.
    func identifier() throws(UnreadableFact) -> String {
        let text = try text()
        guard text.utf8.count <= Self.longestIdentifier else { throw problem("is too long for an id") }
        return text
    }

    /// In bytes of UTF-8; the platforms' own ids have a tenth of it.
    static let longestIdentifier = 200

    /// The same, nil where there is none or it is blank.
    var textIfAny: String? {
        switch tree {
        case .string(let text), .number(let text):
            text.unicodeScalars.allSatisfy(\.properties.isWhitespace) ? nil : text
        default: nil
        }
    }

    /// The same, empty where there is none.
    var words: String { textIfAny?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "" }

    /// Money from its own decimal text; what is beyond the millionth is rounded half away from zero.
    func amount() throws(UnreadableFact) -> Amount {
        guard let amount = Amount(rounding: try text()) else { throw problem("is not an amount of money") }
        return amount
    }

    /// The same, nothing where it is missing or blank.
    func amountOrZero() throws(UnreadableFact) -> Amount { textIfAny == nil ? .zero : try amount() }

    func quantity() throws(UnreadableFact) -> Quantity {
        guard let quantity = Quantity(try text()) else { throw problem("is not a quantity") }
        return quantity
    }

    /// A moment in ISO 8601 with its offset.
    func moment() throws(UnreadableFact) -> Date {
        guard let date = UTCTimestamp.parse(try text()) else { throw problem("is not a time") }
        return date
    }

    func problem(_ text: String) -> UnreadableFact {
        UnreadableFact(place: place.isEmpty ? "itself" : place, problem: text)
    }
}

extension Amount {
    /// Reads plain decimal text of any length; what is beyond the millionth is rounded half away from zero.
    init?(rounding text: some StringProtocol) {
        if let exact = Amount(text) {
            self = exact
            return
        }
        guard let point = text.firstIndex(of: ".") else { return nil }
        let decimals = text[text.index(after: point)...]
        guard decimals.utf8.count > 6, decimals.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let kept = text.utf8.count - decimals.utf8.count + 6
        guard let cut = Amount(text.prefix(kept)) else { return nil }
        let roundsUp = (decimals.utf8.dropFirst(6).first ?? 0x30) >= 0x35
        self = roundsUp ? cut + Amount(micro: text.hasPrefix("-") ? -1 : 1) : cut
    }

    /// The amount for one of so many; exact, or rounded half away from zero to the millionth. Nothing for none.
    func divided(by count: Quantity) -> Amount {
        guard count.micro != 0 else { return .zero }
        let divisor = count.micro.magnitude
        let (high, low) = micro.magnitude.multipliedFullWidth(by: UInt64(Quantity.microPerUnit))
        let isNegative = (micro < 0) != (count.micro < 0)
        guard high < divisor else { return Amount(micro: isNegative ? .min : .max) }
        var (quotient, remainder) = divisor.dividingFullWidth((high, low))
        if remainder >= divisor - remainder, quotient < .max { quotient += 1 }
        let value = Int64(clamping: quotient)
        return Amount(micro: isNegative ? -value : value)
    }

    /// The amount in the proportion of `part` to `whole`, rounded half away from zero to the millionth.
    func scaled(by part: Amount, over whole: Amount) -> Amount {
        guard whole.micro != 0 else { return .zero }
        let divisor = whole.micro.magnitude
        let (high, low) = micro.magnitude.multipliedFullWidth(by: part.micro.magnitude)
        let isNegative = ((micro < 0) != (part.micro < 0)) != (whole.micro < 0)
        guard high < divisor else { return Amount(micro: isNegative ? .min : .max) }
        var (quotient, remainder) = divisor.dividingFullWidth((high, low))
        if remainder >= divisor - remainder, quotient < .max { quotient += 1 }
        let value = Int64(clamping: quotient)
        return Amount(micro: isNegative ? -value : value)
    }
}
