/// Reads the numbers of a stock file exactly, never through binary floating point.
struct NumberParser {
    /// What a cell says.
    enum Outcome {
        /// Millionths of a unit.
        case value(Int64)
        /// The digits of a number like `1,234` whose mark may group thousands or stand before decimals.
        case commaAmbiguous(Int64)
        case pointAmbiguous(Int64)
        case empty
        case notANumber
        case outOfRange
    }

    /// The largest quantity taken: a milliard units. A barcode that slipped into the quantity column is larger.
    static let largest: Int64 = 1_000_000_000 * 1_000_000

    let decimal: StockFileFormat.DecimalMark
    /// Numbers seen that only make sense with this decimal mark.
    private(set) var pointEvidence = 0
    private(set) var commaEvidence = 0

    init(decimal: StockFileFormat.DecimalMark) { self.decimal = decimal }

    /// The mark that stands before decimals, where the configuration or the file's other numbers decide it.
    var decided: StockFileFormat.DecimalMark {
        if decimal != .auto { return decimal }
        if pointEvidence > 0, commaEvidence == 0 { return .point }
        if commaEvidence > 0, pointEvidence == 0 { return .comma }
        return .auto
    }

    /// Reads a cell of delimited text or a text cell of a worksheet.
    @inline(__always)
    mutating func parse(_ cell: UnsafeBufferPointer<UInt8>) -> Outcome {
        // Nearly all quantities are a few plain digits.
        if cell.count > 0, cell.count <= 9 {
            var value: Int64 = 0
            var index = 0
            while index < cell.count {
                let digit = cell[index] &- 0x30
                if digit > 9 { break }
                value = value &* 10 &+ Int64(digit)
                index += 1
            }
            if index == cell.count { return .value(value &* 1_000_000) }
        }
        return parseMarked(cell)
    }

    private mutating func parseMarked(_ cell: UnsafeBufferPointer<UInt8>) -> Outcome {
        let text = cell.trimmed
        if text.isEmpty { return .empty }
        guard let shape = NumberShape(text) else { return .notANumber }
        switch decimal {
        case .point: return shape.value(decimalMark: NumberShape.point)
        case .comma: return shape.value(decimalMark: NumberShape.comma)
        case .auto: return parseUndeclared(shape)
        }
    }

    private mutating func parseUndeclared(_ shape: NumberShape) -> Outcome {
        guard let last = shape.marks.last else { return shape.value(decimalMark: 0) }
        let kinds = Set(shape.marks.map(\.byte))
        if kinds.count == 1, shape.marks.count == 1, shape.looksGrouped {
            guard let digits = shape.plainDigits, digits <= 999_999 else { return .notANumber }
            return last.byte == NumberShape.comma ? .commaAmbiguous(digits) : .pointAmbiguous(digits)
        }
        // The mark that comes last and only once stands before decimals; one that comes several times groups.
        let repeated = kinds.count == 1 && shape.marks.count > 1
        let mark =
            repeated ? (last.byte == NumberShape.comma ? NumberShape.point : NumberShape.comma) : last.byte
        let outcome = shape.value(decimalMark: mark)
        if case .value = outcome {
            if mark == NumberShape.comma { commaEvidence += 1 } else { pointEvidence += 1 }
        }
        return outcome
    }

    /// Reads a numeric cell of a worksheet: a point, perhaps an exponent, perhaps the noise of binary fractions, which
    /// is rounded away at the sixth decimal.
    func parseNumeric(_ cell: UnsafeBufferPointer<UInt8>) -> Outcome {
        let text = cell.trimmed
        if text.isEmpty { return .empty }
        guard let value = ExactDecimal(text)?.micro(rounding: true) else { return .notANumber }
        return value.magnitude > UInt64(Self.largest) ? .outOfRange : .value(value)
    }
}

/// Where the digits and marks of a number stand.
struct NumberShape {
    static let comma = UInt8(ascii: ",")
    static let point = UInt8(ascii: ".")

    /// A comma or point, and how many digits come before it.
    struct Mark {
        let byte: UInt8
        let digitsBefore: Int
    }

    private var negative = false
    private var digits: [UInt8] = []
    private(set) var marks: [Mark] = []
    /// Digits before each blank or apostrophe that groups.
    private var blanks: [Int] = []

    /// nil for anything that is not digits, marks and one sign, before or (as some ERPs write it) behind.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        guard text.count <= 40 else { return nil }
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(byte - UInt8(ascii: "0"))
            case Self.comma, Self.point:
                marks.append(Mark(byte: byte, digitsBefore: digits.count))
            case UInt8(ascii: "-") where index == 0 || (index == text.count - 1 && !negative):
                negative = true
            case UInt8(ascii: "+") where index == 0:
                break
            case UInt8(ascii: " "), UInt8(ascii: "'"):
                blanks.append(digits.count)
            case 0xC2 where index + 1 < text.count && text[index + 1] == 0xA0:
                blanks.append(digits.count)
                index += 1
            case 0xE2 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] == 0xAF:
                blanks.append(digits.count)
                index += 2
            default:
                return nil
            }
            index += 1
        }
        guard !digits.isEmpty else { return nil }
    }

    /// Whether the one mark could group thousands: one to three digits, not starting with 0, and three behind.
    var looksGrouped: Bool {
        guard let mark = marks.first, blanks.isEmpty else { return false }
        return (1...3).contains(mark.digitsBefore) && digits.count - mark.digitsBefore == 3 && digits[0] != 0
    }

    /// All digits as one number, with its sign; nil if there are too many.
    var plainDigits: Int64? {
        guard digits.count <= 18 else { return nil }
        let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1) }
        return negative ? -value : value
    }

    /// The value if `decimalMark` stands before decimals and the other mark groups.
    func value(decimalMark: UInt8) -> NumberParser.Outcome {
        var whole = digits.count
        var groups = blanks
        for mark in marks {
            if mark.byte != decimalMark {
                groups.append(mark.digitsBefore)
            } else if whole == digits.count, mark.digitsBefore == marks.last?.digitsBefore {
                whole = mark.digitsBefore
            } else {
                return .notANumber
            }
        }
        if marks.filter({ $0.byte == decimalMark }).count > 1 { return .notANumber }
        if let last = marks.last, last.byte != decimalMark, marks.contains(where: { $0.byte == decimalMark }) {
            return .notANumber
        }
        guard groupsAreThousands(groups, whole: whole) else { return .notANumber }
        let decimal = ExactDecimal(negative: negative, digits: digits, exponent: whole - digits.count)
        guard let micro = decimal.micro(rounding: false), micro.magnitude <= UInt64(NumberParser.largest) else {
            return .outOfRange
        }
        return .value(micro)
    }

    private func groupsAreThousands(_ groups: [Int], whole: Int) -> Bool {
        guard !groups.isEmpty else { return true }
        guard let first = groups.first, (1...3).contains(first), let last = groups.last, whole - last == 3 else {
            return false
        }
        return zip(groups, groups.dropFirst()).allSatisfy { $1 - $0 == 3 }
    }
}

/// A decimal number as digits and a power of ten.
struct ExactDecimal {
    let negative: Bool
    let digits: [UInt8]
    let exponent: Int

    init(negative: Bool, digits: [UInt8], exponent: Int) {
        self.negative = negative
        self.digits = digits
        self.exponent = exponent
    }

    /// Reads `-12.5E-3` and the like: a point, no grouping.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        var digits: [UInt8] = []
        var decimals = 0
        var pointSeen = false
        var index = 0
        let negative = text.first == UInt8(ascii: "-")
        if negative || text.first == UInt8(ascii: "+") { index = 1 }
        while index < text.count, text[index] | 0x20 != UInt8(ascii: "e") {
            switch text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(text[index] - UInt8(ascii: "0"))
                if pointSeen { decimals += 1 }
            case UInt8(ascii: ".") where !pointSeen:
                pointSeen = true
            default:
                return nil
            }
            index += 1
        }
        var power = 0
        if index < text.count {
            let rest = String(decoding: text[(index + 1)...], as: UTF8.self)
            guard let stated = Int(rest), abs(stated) <= 400 else { return nil }
            power = stated
        }
        guard !digits.isEmpty, digits.count <= 400 else { return nil }
        self.init(negative: negative, digits: digits, exponent: power - decimals)
    }

    /// In millionths; nil if it does not fit, or if digits beyond the sixth decimal would be lost and `rounding` is not
    /// allowed. Rounds half away from zero.
    func micro(rounding: Bool) -> Int64? {
        let significant = digits.drop { $0 == 0 }
        if significant.isEmpty { return 0 }
        let places = exponent + 6
        guard significant.count + places <= 18 else { return nil }
        let kept = places >= 0 ? significant.count : max(significant.count + places, 0)
        var value: Int64 = 0
        for digit in significant.prefix(kept) { value = value * 10 + Int64(digit) }
        let lost = significant.dropFirst(kept)
        if !lost.allSatisfy({ $0 == 0 }) {
            guard rounding else { return nil }
            let firstLostIsNext = significant.count + places >= 0
            if firstLostIsNext, let next = lost.first, next >= 5 { value += 1 }
        }
        if places > 0 { for _ in 0..<places { value *= 10 } }
        return negative ? -value : value
    }

    /// Without exponent: `8.93E+4` as `89300`. For codes that a worksheet stores as numbers.
    var plainText: String {
        var text = negative ? "-" : ""
        if exponent >= 0 {
            text += digits.map { String($0) }.joined() + String(repeating: "0", count: exponent)
            return text
        }
        let padded = Array(repeating: UInt8(0), count: max(0, 1 - digits.count - exponent)) + digits
        let whole = padded.count + exponent
        var decimals = padded[whole...]
        while decimals.last == 0 { decimals.removeLast() }
        text += padded[..<whole].map { String($0) }.joined()
        return decimals.isEmpty ? text : text + "." + decimals.map { String($0) }.joined()
    }
}
