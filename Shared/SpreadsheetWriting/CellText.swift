/// How a text stands in a cell.
///
/// - A text that starts with `=`, `+`, `-`, `@`, a tab or a line break gets a leading apostrophe. Such a cell is
///   harmless as it is, being a string cell; but exported as CSV and opened again it would run as a formula, which the
///   quote prefix format would not prevent, since CSV knows no formats (and libxlsxwriter 1.1.4 cannot set it). So that
///   reading back is unambiguous, a text that starts with apostrophes before such a character gets one more:
///   `unescaped` takes exactly one away. The price: a program that reads a phone number `+84…` finds `'+84…`.
/// - At most 32,767 UTF-16 units, the format's limit; what is longer is cut, ends with `cutMark`, and is counted.
/// - Characters that XML cannot hold (control characters but tab and line feed) become U+FFFD; CR and CR LF become LF.
/// - `_x0041_`, which spreadsheet programs take for an `A`, is written as `_x005F_x0041_`, so that it stays what it is.
///   openpyxl is the one known reader that does not turn it back.
public enum CellText {
    /// The most UTF-16 units of a cell.
    public static let maximumUnits = 32_767
    /// How a text ends that was cut.
    public static let cutMark = "… [cut]"

    /// The text as a reader of the workbook finds it.
    public static func written(_ text: String) -> String {
        var text = text
        let prepared = text.withUTF8 { prepare($0, escapesMarkers: false) }
        return prepared.map { String(decoding: $0.bytes.dropLast(), as: UTF8.self) } ?? text
    }

    /// The text that was given for one that was read, if it was neither cut nor had characters replaced.
    public static func unescaped(_ written: String) -> String {
        guard written.utf8.first == apostrophe else { return written }
        let rest = written.utf8.dropFirst().drop { $0 == apostrophe }
        return rest.first.map(runs) == true ? String(written.dropFirst()) : written
    }

    /// Bytes for the library: UTF-8 with a zero at the end.
    struct Prepared: Equatable {
        var bytes: [UInt8]
        var wasCut = false
    }

    /// What to write instead of a text; nil if it can stand as it is, which nearly all can.
    static func prepare(
        _ text: UnsafeBufferPointer<UInt8>, escapesFormulas: Bool = true, escapesMarkers: Bool = true
    ) -> Prepared? {
        let escapes = escapesFormulas && wantsApostrophe(text)
        if !escapes, text.count <= maximumUnits, isPlain(text) { return nil }
        var result = Prepared(bytes: [])
        result.bytes.reserveCapacity(text.count + 16)
        if escapes { result.bytes.append(apostrophe) }
        appendLegal(text, to: &result.bytes, escapesMarkers: escapesMarkers)
        result.wasCut = cut(&result.bytes)
        result.bytes.append(0)
        return result
    }

    private static let apostrophe = UInt8(ascii: "'")
    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
    private static let escapedUnderscore = Array("_x005F_".utf8)

    /// Whether a spreadsheet program that opens a CSV file may run a cell that starts so.
    private static func runs(_ first: UInt8) -> Bool {
        switch first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0A, 0x0D: true
        default: false
        }
    }

    @inline(__always)
    private static func wantsApostrophe(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = text.first else { return false }
        guard first == apostrophe else { return runs(first) }
        return text.first { $0 != apostrophe }.map(runs) ?? false
    }

    @inline(__always)
    private static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        for index in text.indices {
            let byte = text[index]
            if byte < 0x20 {
                if byte != 0x09, byte != 0x0A { return false }
            } else if byte == UInt8(ascii: "_") || byte == 0xEF {
                if isMarker(text, index) || isNoncharacter(text, index) { return false }
            }
        }
        return true
    }

    /// `_xHHHH_`, the format's way of writing a character by its number.
    private static func isMarker(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        guard index + 6 < text.count, text[index] == UInt8(ascii: "_"), text[index + 1] == UInt8(ascii: "x"),
            text[index + 6] == UInt8(ascii: "_")
        else { return false }
        return (index + 2..<index + 6).allSatisfy { place in
            switch text[place] {
            case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
            default: false
            }
        }
    }

    /// U+FFFE and U+FFFF.
    private static func isNoncharacter(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        index + 2 < text.count && text[index] == 0xEF && text[index + 1] == 0xBF && text[index + 2] >= 0xBE
    }

    private static func appendLegal(
        _ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8], escapesMarkers: Bool
    ) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == 0x0D {
                if index + 1 >= text.count || text[index + 1] != 0x0A { bytes.append(0x0A) }
            } else if byte < 0x20, byte != 0x09, byte != 0x0A {
                bytes.append(contentsOf: replacement)
            } else if isNoncharacter(text, index) {
                bytes.append(contentsOf: replacement)
                index += 2
            } else if escapesMarkers, isMarker(text, index) {
                bytes.append(contentsOf: escapedUnderscore)
            } else {
                bytes.append(byte)
            }
            index += 1
        }
    }

    /// Shortens what is too long; never inside a character's bytes. An escaped marker counts as it is written.
    private static func cut(_ bytes: inout [UInt8]) -> Bool {
        guard bytes.count > maximumUnits else { return false }
        let room = maximumUnits - cutMark.utf16.count
        var units = 0
        var end = 0
        for index in bytes.indices {
            let byte = bytes[index]
            guard byte & 0xC0 != 0x80 else { continue }
            if units <= room { end = index }
            units += byte >= 0xF0 ? 2 : 1
        }
        guard units > maximumUnits else { return false }
        bytes.removeSubrange(end...)
        bytes.append(contentsOf: cutMark.utf8)
        return true
    }
}
