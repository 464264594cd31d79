/// Brings e-mail addresses and phone numbers into the form by which customers are compared (domain.md section 3).
public enum ContactNormalizer {
    /// Trimmed and in small letters; nil if nothing is left.
    public static func email(_ text: String?) -> String? {
        guard let text else { return nil }
        let scalars = text.unicodeScalars.drop(while: \.properties.isWhitespace)
        let end = scalars.lastIndex { !$0.properties.isWhitespace }
        guard let end else { return nil }
        return String(scalars[...end]).lowercased()
    }

    /// Digits, with a `+` and the country's code before them where the country is known; nil without a digit.
    ///
    /// A number with `+` or `00` in front says its country itself. Of the others only Vietnamese ones are completed:
    /// `090…` and `84 90…` become `+8490…`. Everything from the first letter on (an extension) is left out.
    ///
    /// - Parameters:
    ///   - text: as the customer typed it.
    ///   - country: ISO 3166 letters of the customer's address, if known.
    public static func phone(_ text: String?, country: String?) -> String? {
        guard let text else { return nil }
        let spoken = text.prefix { !$0.isLetter }
        var digits = spoken.compactMap(\.wholeNumberValue).filter { $0 < 10 }.map(String.init).joined()
        guard !digits.isEmpty else { return nil }
        var isInternational = spoken.drop { !$0.isNumber && $0 != "+" }.hasPrefix("+")
        if !isInternational, digits.hasPrefix("00") {
            digits.removeFirst(2)
            isInternational = true
        }
        if isInternational {
            // "+84 (0) 90…": the zero in brackets is for callers within the country.
            if digits.hasPrefix("840") { digits = "84" + digits.dropFirst(3) }
            return digits.isEmpty ? nil : "+" + digits
        }
        guard country?.uppercased() == "VN" else { return digits }
        if digits.hasPrefix("0") { return "+84" + digits.dropFirst() }
        if digits.hasPrefix("84"), (11...12).contains(digits.count) {
            return "+84" + digits.dropFirst(digits.hasPrefix("840") ? 3 : 2)
        }
        return digits
    }
}
