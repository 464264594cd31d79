/// Assembles the rows of a worksheet in buffers that are used again for each.
final class SheetHandler: XMLHandler {
    private struct Span {
        var start = 0
        var count = 0
        /// Where the text of a shared string lies; nil for one in `arena`.
        var shared: UnsafePointer<UInt8>?
    }

    private let strings: SharedStringsHandler
    private let isDate: [Bool]
    private let uses1904: Bool
    private let limits: WorkbookLimits
    private let visit: (SheetRow) -> Bool

    private let arena: UnsafeMutablePointer<UInt8>
    private var used = 0
    private let spans: UnsafeMutablePointer<Span>
    private let kinds: UnsafeMutablePointer<SheetCellKind>
    private let texts: UnsafeMutablePointer<UnsafeBufferPointer<UInt8>>
    private var columns = 0
    private var rowNumber = 0

    private enum CellType { case number, shared, text, boolean, error, date }
    private var column = -1
    private var type = CellType.number
    private var style = 0
    private var valueStart = 0
    private var inValue = false
    private var inPhonetic = false
    private var inCell = false

    /// - Parameter visit: Gets each row; false ends the reading.
    init(
        strings: SharedStringsHandler, isDate: [Bool], uses1904: Bool, limits: WorkbookLimits,
        visit: @escaping (SheetRow) -> Bool
    ) {
        self.strings = strings
        self.isDate = isDate
        self.uses1904 = uses1904
        self.limits = limits
        self.visit = visit
        arena = .allocate(capacity: limits.rowBytes + 64)
        spans = .allocate(capacity: limits.columns)
        kinds = .allocate(capacity: limits.columns)
        texts = .allocate(capacity: limits.columns)
    }

    deinit {
        arena.deallocate()
        spans.deallocate()
        kinds.deallocate()
        texts.deallocate()
    }

    override func start(_ name: XMLName, _ attributes: XMLAttributes) {
        switch name.letter {
        case UInt8(ascii: "c"): startCell(attributes)
        case UInt8(ascii: "v"): inValue = inCell
        case UInt8(ascii: "t"): inValue = inCell && !inPhonetic
        case 0:
            if name == "row" {
                startRow(attributes)
            } else if name == "rPh" {
                inPhonetic = true
            }
        default: break
        }
    }

    override func end(_ name: XMLName) {
        switch name.letter {
        case UInt8(ascii: "c"): endCell()
        case UInt8(ascii: "v"), UInt8(ascii: "t"): inValue = false
        case 0:
            if name == "row" {
                endRow()
            } else if name == "rPh" {
                inPhonetic = false
            }
        default: break
        }
    }

    override func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard inValue, let source = bytes.baseAddress else { return }
        if used - valueStart + bytes.count > limits.cellBytes {
            return fail(.tooLarge(what: "bytes in a cell of row \(rowNumber)", limit: limits.cellBytes))
        }
        if used + bytes.count > limits.rowBytes {
            return fail(.tooLarge(what: "bytes in row \(rowNumber)", limit: limits.rowBytes))
        }
        (arena + used).update(from: source, count: bytes.count)
        used += bytes.count
    }

    private func startRow(_ attributes: XMLAttributes) {
        rowNumber += 1
        for index in 0..<attributes.count {
            guard let name = attributes.name(index), name.letter == UInt8(ascii: "r") else { continue }
            if let stated = Self.number(attributes.value(index)) { rowNumber = stated }
        }
        used = 0
        columns = 0
        column = -1
    }

    private func startCell(_ attributes: XMLAttributes) {
        inCell = true
        type = .number
        style = 0
        valueStart = used
        var place = column + 1
        for index in 0..<attributes.count {
            switch attributes.name(index)?.letter {
            case UInt8(ascii: "r"): place = Self.column(attributes.value(index)) ?? place
            case UInt8(ascii: "s"): style = Self.number(attributes.value(index)) ?? 0
            case UInt8(ascii: "t"): type = Self.type(attributes.value(index))
            default: break
            }
        }
        guard place < limits.columns else { return fail(.tooLarge(what: "columns", limit: limits.columns)) }
        column = place
        while columns <= place {
            kinds[columns] = .empty
            spans[columns] = Span()
            columns += 1
        }
    }

    private func endCell() {
        inCell = false
        inValue = false
        let count = used - valueStart
        guard count > 0, column >= 0 else { return }
        var span = Span(start: valueStart, count: count, shared: nil)
        let kind: SheetCellKind
        switch type {
        case .shared:
            let index = Self.number(UnsafeBufferPointer(start: arena + valueStart, count: count))
            guard let text = index.flatMap({ strings.text($0) }) else {
                return fail(.malformed(part: "sheet", detail: "row \(rowNumber) refers to a text that is not there"))
            }
            used = valueStart
            (span.count, span.shared) = (text.count, text.baseAddress)
            kind = text.isEmpty ? .empty : .text
        case .text:
            span.count = EscapedCharacters.decode(
                UnsafeMutableBufferPointer(start: arena + valueStart, count: count))
            kind = .text
        case .boolean:
            span = replaceValue(with: arena[valueStart] == UInt8(ascii: "0") ? "FALSE" : "TRUE")
            kind = .boolean
        case .error: kind = .error
        case .date: kind = .date
        case .number:
            if style >= 0, style < isDate.count, isDate[style], let date = dateText(count) {
                span = replaceValue(with: date)
                kind = .date
            } else {
                kind = .number
            }
        }
        spans[column] = span
        kinds[column] = kind
    }

    private func dateText(_ count: Int) -> String? {
        let digits = String(decoding: UnsafeBufferPointer(start: arena + valueStart, count: count), as: UTF8.self)
        return Double(digits).flatMap { SerialDate.text($0, uses1904: uses1904) }
    }

    /// The arena has room beyond its limit for what a date or a boolean becomes.
    private func replaceValue(with text: String) -> Span {
        used = min(valueStart, limits.rowBytes)
        let start = used
        for byte in text.utf8 {
            arena[used] = byte
            used += 1
        }
        return Span(start: start, count: used - start, shared: nil)
    }

    private func endRow() {
        for index in 0..<columns {
            let span = spans[index]
            let start = span.shared ?? UnsafePointer(arena + span.start)
            texts[index] = UnsafeBufferPointer(start: start, count: span.count)
        }
        let row = SheetRow(
            number: rowNumber, texts: UnsafeBufferPointer(start: texts, count: columns),
            kinds: UnsafeBufferPointer(start: kinds, count: columns))
        if !visit(row) { stopped = true }
        column = -1
    }

    private static func type(_ value: UnsafeBufferPointer<UInt8>) -> CellType {
        switch value.first {
        case UInt8(ascii: "s"): value.count == 1 ? .shared : .text
        case UInt8(ascii: "i"): .text
        case UInt8(ascii: "b"): .boolean
        case UInt8(ascii: "e"): .error
        case UInt8(ascii: "d"): .date
        default: .number
        }
    }

    /// A whole number of at most nine digits.
    @inline(__always)
    private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 9 else { return nil }
        var value = 0
        for byte in bytes {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    /// The column of a reference such as `AB12`, from 0.
    @inline(__always)
    private static func column(_ reference: UnsafeBufferPointer<UInt8>) -> Int? {
        var value = 0
        for byte in reference.prefix(4) {
            let letter = byte & 0xDF
            guard letter >= 0x41, letter <= 0x5A else { break }
            value = value * 26 + Int(letter - 0x40)
        }
        return value == 0 ? nil : value - 1
    }
}
