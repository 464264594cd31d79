internal import Foundation

extension UnsafeBufferPointer where Element == UInt8 {
    /// Without ASCII blanks and tabs, and no-break spaces, at both ends.
    @inline(__always)
    var trimmed: UnsafeBufferPointer<UInt8> {
        guard let first, let last else { return self }
        // Nothing to do for nearly every cell.
        if first > 0x20, last > 0x20, first != 0xC2, first != 0xE2, first != 0xEF, last < 0x80 { return self }
        return trimmedSlowly
    }

    private var trimmedSlowly: UnsafeBufferPointer<UInt8> {
        var start = 0
        var end = count
        while start < end {
            let width = blankWidth(at: start, before: end)
            if width == 0 { break }
            start += width
        }
        while end > start {
            if self[end - 1] == 0x20 || self[end - 1] == 0x09 {
                end -= 1
            } else if end - start >= 2, blankWidth(at: end - 2, before: end) == 2 {
                end -= 2
            } else if end - start >= 3, blankWidth(at: end - 3, before: end) == 3 {
                end -= 3
            } else {
                break
            }
        }
        return UnsafeBufferPointer(rebasing: self[start..<end])
    }

    /// How long the blank at `index` is; 0 if there is none. No-break space, narrow no-break space, zero-width space
    /// and a stray byte order mark are blanks too: spreadsheets and web pages leave them behind.
    private func blankWidth(at index: Int, before end: Int) -> Int {
        switch self[index] {
        case 0x20, 0x09, 0x0A, 0x0D: return 1
        case 0xC2 where index + 1 < end && self[index + 1] == 0xA0: return 2
        case 0xE2 where index + 2 < end && self[index + 1] == 0x80 && [0x8B, 0xAF].contains(self[index + 2]): return 3
        case 0xEF where index + 2 < end && self[index + 1] == 0xBB && self[index + 2] == 0xBF: return 3
        default: return 0
        }
    }

    /// As text, cut at `limit` bytes and marked as cut.
    func text(limit: Int) -> String {
        if count <= limit { return String(decoding: self, as: UTF8.self) }
        var end = limit
        while end > 0, self[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: self[..<end], as: UTF8.self) + "…"
    }

    /// Whether every byte is ASCII.
    var isASCII: Bool { allSatisfy { $0 < 0x80 } }
}

/// Text as it is compared: without case, accents, blanks and punctuation, so that "Tồn kho", "TON KHO" and "ton_kho"
/// are one.
func folded(_ text: String) -> String {
    var result = ""
    for scalar in text.decomposedStringWithCompatibilityMapping.lowercased().unicodeScalars {
        switch scalar {
        case "đ": result.unicodeScalars.append("d")
        default:
            let properties = scalar.properties
            if properties.isAlphabetic || properties.numericType != nil { result.unicodeScalars.append(scalar) }
        }
    }
    return result
}
