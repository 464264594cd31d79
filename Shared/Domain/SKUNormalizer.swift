internal import Foundation

/// One way in which two spellings of a SKU count as the same (domain.md section 5).
public enum NormalizationRule: String, Sendable, Hashable, Codable, CaseIterable {
    /// White space before and after goes, including no-break and zero-width spaces.
    case trim
    /// Letters become capitals.
    case uppercase
    /// Zeros at the front go, so that `0012` and `12` match; of nothing but zeros one stays.
    case stripLeadingZeros = "strip_leading_zeros"
    /// Blanks, hyphens, underscores, points and slashes inside go.
    case removeSeparators = "remove_separators"
}

/// Brings spellings of a SKU to one form, in which they are compared. The text is put into Unicode NFC first, always:
/// the two ways of writing `Ấ` are one letter to a person.
public struct SKUNormalizer: Sendable, Hashable {
    private let rules: Set<NormalizationRule>

    /// A normaliser; the rules apply in a fixed order (trim, separators, capitals, zeros), however they are listed.
    public init(rules: some Sequence<NormalizationRule>) {
        self.rules = Set(rules)
    }

    /// The form to compare, or nil if nothing is left, because a blank SKU never matches anything.
    public func normalize(_ text: String) -> String? {
        if let fast = normalizeASCII(text) { return fast.isEmpty ? nil : fast }
        var result = text.precomposedStringWithCanonicalMapping
        if rules.contains(.trim) { result = Self.trimmed(result) }
        if rules.contains(.removeSeparators) {
            result = String(String.UnicodeScalarView(result.unicodeScalars.filter { !Self.isSeparator($0) }))
        }
        // Capitals can take letters apart again, so the canonical form is made once more.
        if rules.contains(.uppercase) { result = result.uppercased().precomposedStringWithCanonicalMapping }
        if rules.contains(.stripLeadingZeros) {
            let stripped = result.unicodeScalars.drop { $0 == "0" }
            result = stripped.isEmpty ? (result.isEmpty ? "" : "0") : String(String.UnicodeScalarView(stripped))
        }
        return Self.trimmed(result).isEmpty ? nil : result
    }

    /// Nearly every SKU is ASCII, and a catalogue has hundreds of thousands; nil if this one is not.
    private func normalizeASCII(_ text: String) -> String? {
        let bytes = text.utf8
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return nil }
        var slice = bytes[...]
        if rules.contains(.trim) {
            slice = slice.drop { $0 == 0x20 }
            while slice.last == 0x20 { slice.removeLast() }
        }
        var kept = [UInt8]()
        kept.reserveCapacity(slice.count)
        for byte in slice {
            if rules.contains(.removeSeparators), Self.isSeparator(Unicode.Scalar(byte)) { continue }
            kept.append(rules.contains(.uppercase) && byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte)
        }
        if kept.allSatisfy({ $0 == 0x20 }) { return "" }
        if rules.contains(.stripLeadingZeros), kept.first == 0x30 {
            let rest = kept.drop { $0 == 0x30 }
            return rest.isEmpty ? "0" : String(decoding: rest, as: UTF8.self)
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static func trimmed(_ text: String) -> String {
        let kept = text.unicodeScalars.drop(while: isBlank)
        guard let last = kept.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(String.UnicodeScalarView(kept[...last]))
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\u{200B}", "\u{200C}", "\u{200D}", "\u{FEFF}", "\u{2060}": true
        default: scalar.properties.isWhitespace
        }
    }

    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", "_", ".", "/", "\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{2212}": true
        default: isBlank(scalar)
        }
    }
}
