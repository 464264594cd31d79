/// Decimal numbers as text, and whether 64-bit floating point keeps them.
enum DecimalText {
    /// The significant digits that such a number keeps, whatever they are.
    static let exactDigits = 15

    private static let powersOfTen: [Double] = (0...22).map { exponent in
        (0..<exponent).reduce(1.0) { power, _ in power * 10 }
    }

    /// The number, if the text is a plain decimal one (`-12.50`) of at most 15 significant digits; nil otherwise, and
    /// if its last digit stands beyond the 22nd place.
    ///
    /// So many digits are exact, and so is a power of ten up to 10^22: the one division or product rounds correctly.
    static func exactNumber(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        let isNegative = text.first == UInt8(ascii: "-")
        var end = text.count
        let start = isNegative ? 1 : 0
        let point = text.firstIndex(of: UInt8(ascii: "."))
        let wholeDigits = (point ?? end) - start
        guard wholeDigits > 0, point != end - 1 else { return nil }

        // Zeros at the end change the exponent alone.
        while end > start, text[end - 1] == 0x30, end - 1 != point { end -= 1 }
        var exponent = 0
        if let point {
            exponent = end > point ? -(end - point - 1) : 0
        } else {
            exponent = text.count - end
        }
        var digits: UInt64 = 0
        var significant = 0
        for index in start..<end where index != point {
            let byte = text[index]
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            if significant > 0 || byte != 0x30 { significant += 1 }
            guard significant <= exactDigits else { return nil }
            digits = digits * 10 + UInt64(byte - 0x30)
        }
        guard digits > 0 else { return 0 }
        guard exponent >= -22, exponent <= 22 else { return nil }
        let value =
            exponent < 0 ? Double(digits) / powersOfTen[-exponent] : Double(digits) * powersOfTen[exponent]
        return isNegative ? -value : value
    }

    /// A whole number, if it is kept exactly.
    static func exactNumber(_ value: Int64) -> Double? {
        let bound: Int64 = 1_000_000_000_000_000
        if value > -bound, value < bound { return Double(value) }
        let digits = Array(String(value).utf8)
        return digits.withUnsafeBufferPointer { exactNumber($0) }
    }
}
