internal import DelimitedText
internal import Domain
internal import Foundation
internal import Spreadsheets

/// Takes the rows below the header, one by one, and accounts for each.
struct RowCollector: ~Copyable {
    let file: String
    let format: StockFileFormat
    let layout: HeaderLayout
    var store: RowStore
    var counts = StockFileCounts()
    var setAside: [SetAsideRow] = []
    /// Rows taken back after their bytes were gone; their raw text is read again at the end.
    var takenBack: [(line: Int, reason: SetAsideReason)] = []
    var ambiguousRows = 0
    var oldestAsOf: Date?
    var asOfVaries = false
    /// The last line, and whether it looks cut off.
    var cutOffLine: Int?
    var numbers: NumberParser
    private let skipRules: SkipRules
    let asOfParser: AsOfParser
    var lastAsOf: [UInt8] = []
    var lastAsOfDate: Date?
    var lastWarehouse = -1
    var lastSKU = -1
    private let defaultWarehouse: Int
    private let wideWarehouses: [Int]
    /// Whether the text above the (first) quantity begins with a digit.
    let headerStartsWithDigit: Bool
    private let rowLimit: Int
    private let warehouseLimit: Int
    // What every row needs, beside the layout: reading a member of a large structure may copy all of it.
    let skuColumn: Int
    let warehouseColumn: Int
    private let onHandColumn: Int
    private let reservedColumn: Int
    private let cellCount: Int
    /// The (first) column of quantities.
    let quantityColumn: Int
    let plainNameLimit: Int
    private let hasAsOf: Bool
    private let isWide: Bool
    private let badRowLimit: Int

    /// - Parameter expectedSKUs: About how many distinct ones will come.
    init(
        file: String, format: StockFileFormat, layout: HeaderLayout, skipRules: SkipRules, expectedSKUs: Int
    ) {
        self.file = file
        self.format = format
        self.layout = layout
        self.skipRules = skipRules
        var store = RowStore(withReserved: layout.reserved != nil, expectedSKUs: expectedSKUs)
        numbers = NumberParser(decimal: format.decimal)
        asOfParser = AsOfParser(timeZone: format.timeZone)
        quantityColumn = layout.wide.first?.column ?? layout.onHand
        plainNameLimit = format.limits.nameBytes
        let quantityHeader = layout.name(quantityColumn)
        headerStartsWithDigit = (0x30...0x39).contains(quantityHeader.utf8.first ?? 0)
        // Together they never bring more names than the table can hold.
        warehouseLimit = format.limits.warehouses
        (skuColumn, onHandColumn, cellCount) = (layout.sku, layout.onHand, layout.cellCount)
        (warehouseColumn, reservedColumn) = (layout.warehouse ?? -1, layout.reserved ?? -1)
        (hasAsOf, isWide) = (layout.asOf != nil, !layout.wide.isEmpty)
        rowLimit = min(format.limits.rows, NameTable.capacity - 1_000_000)
        badRowLimit = min(format.limits.badRows, 1_000_000)
        var configured: [Int] = []
        for name in [format.defaultWarehouse].compactMap({ $0 }) + layout.wide.map(\.warehouse) {
            configured.append(Self.index(of: name, in: &store.warehouses))
        }
        defaultWarehouse = format.defaultWarehouse == nil ? -1 : configured.removeFirst()
        wideWarehouses = configured
        self.store = store
    }

    private static func index(of warehouse: WarehouseName, in table: inout NameTable) -> Int {
        let bytes = Array(warehouse.rawValue.utf8)
        return bytes.withUnsafeBufferPointer { name in
            let hash = table.hash(name)
            if let index = table.find(name, hash: hash) { return index }
            return table.insert(name, hash: hash)
        }
    }

    /// Takes one row below the header.
    mutating func take(_ row: TableRow) throws(StockFileError) {
        if skipRules.matches(row) {
            counts.totals += 1
            return
        }
        if let reason = structuralFault(row) { return try reject(row, reason) }
        let sku: Int
        switch skuIndex(row) {
        case .index(let index): sku = index
        case .rejected(let reason): return try reject(row, reason)
        case .total:
            counts.totals += 1
            return
        case .repeatedHeader:
            counts.repeatedHeaders += 1
            return
        }
        if hasAsOf, let reason = readAsOf(row) { return try reject(row, reason) }
        if isWide {
            try takeWide(row, sku: sku)
        } else {
            try takeLong(row, sku: sku)
        }
    }

    @inline(__always)
    private mutating func takeLong(_ row: TableRow, sku: Int) throws(StockFileError) {
        var warehouse = defaultWarehouse
        if warehouseColumn >= 0 {
            switch warehouseIndex(row) {
            case .index(let index): warehouse = index
            case .rejected(let reason): return try reject(row, reason)
            case .total, .repeatedHeader: break
            }
            if store.warehouses.count > warehouseLimit {
                throw .tooMany(file: file, what: "different warehouses", limit: warehouseLimit)
            }
        }
        try takeQuantity(row, sku: sku, warehouse: warehouse, column: onHandColumn)
    }

    private mutating func takeWide(_ row: TableRow, sku: Int) throws(StockFileError) {
        for (entry, warehouse) in zip(layout.wide, wideWarehouses) {
            try takeQuantity(row, sku: sku, warehouse: warehouse, column: entry.column)
        }
    }

    @inline(__always)
    private mutating func takeQuantity(
        _ row: TableRow, sku: Int, warehouse: Int, column: Int
    ) throws(StockFileError) {
        var flags: RowFlags = []
        let onHand: Int64
        switch number(row, column: column) {
        case .value(let value): onHand = value
        case .commaAmbiguous(let digits): (onHand, flags) = (digits, .commaOnHand)
        case .pointAmbiguous(let digits): (onHand, flags) = (digits, .pointOnHand)
        case let other: return try reject(row, reason(other, row, column: column))
        }
        var reserved: Int64 = 0
        if reservedColumn >= 0 {
            switch number(row, column: reservedColumn) {
            case .value(let value): reserved = value
            case .commaAmbiguous(let digits): (reserved, _) = (digits, flags.insert(.commaReserved))
            case .pointAmbiguous(let digits): (reserved, _) = (digits, flags.insert(.pointReserved))
            case let other: return try reject(row, reason(other, row, column: reservedColumn))
            }
        }
        counts.rowsRead += 1
        if let existing = store.find(sku: sku, warehouse: warehouse) {
            return try merge(row, into: existing, onHand: onHand, reserved: reserved, flags: flags)
        }
        if store.count >= rowLimit { throw .tooMany(file: file, what: "rows", limit: rowLimit) }
        counts.accepted += 1
        if !flags.isEmpty { ambiguousRows += 1 }
        let packed = PackedRow(
            onHand: onHand, sku: UInt32(truncatingIfNeeded: sku), line: UInt32(truncatingIfNeeded: row.line), next: 0,
            warehouse: UInt16(truncatingIfNeeded: warehouse), flags: flags)
        store.append(packed, reserved: reserved)
    }

    @inline(__always)
    private mutating func number(_ row: TableRow, column: Int) -> NumberParser.Outcome {
        let cell = row.cell(column)
        if row.kinds == nil { return numbers.parse(cell) }
        switch row.kind(column) {
        case .number: return numbers.parseNumeric(cell)
        case .text: return numbers.parse(cell)
        case .empty: return .empty
        case .boolean, .date, .error: return .notANumber
        }
    }

    /// Faults that make the whole row unusable.
    @inline(__always)
    private func structuralFault(_ row: TableRow) -> SetAsideReason? {
        if row.fault == nil, !row.hasControlCharacters, row.cells.count == cellCount { return nil }
        return structuralFaultSlowly(row)
    }

    private func structuralFaultSlowly(_ row: TableRow) -> SetAsideReason? {
        switch row.fault {
        case .recordTooLong(let limit): return .tooLong(limitBytes: limit)
        case .cellTooLong(_, let limit): return .tooLong(limitBytes: limit)
        case .tooManyCells(let limit): return .wrongCellCount(found: limit + 1, expected: layout.cellCount)
        case .unterminatedQuote, .textAfterQuote: return .brokenQuotes
        case nil: break
        }
        if row.hasControlCharacters { return .controlCharacter }
        // A worksheet leaves empty cells out at the end of a row; delimited text does not.
        let extra = row.cells.dropFirst(layout.cellCount)
        if extra.contains(where: { !$0.trimmed.isEmpty }) || (row.kinds == nil && row.cells.count < layout.cellCount) {
            return .wrongCellCount(found: row.cells.count, expected: layout.cellCount)
        }
        return nil
    }

    /// The reason for a number that is none.
    private func reason(_ outcome: NumberParser.Outcome, _ row: TableRow, column: Int) -> SetAsideReason {
        let name = layout.name(column)
        let text = row.cell(column).text(limit: 60)
        switch outcome {
        case .empty: return .emptyQuantity(column: name)
        case .outOfRange: return .numberOutOfRange(column: name, text: text)
        default:
            return row.kind(column) == .error
                ? .errorCell(column: name, text: text) : .notANumber(column: name, text: text)
        }
    }

    /// Looks at a row that cannot be used once more: it may be no row of stock at all.
    private mutating func reject(_ row: TableRow, _ reason: SetAsideReason) throws(StockFileError) {
        if row.isBlank {
            counts.blankLines += 1
            return
        }
        if isRepeatedHeader(row) {
            counts.repeatedHeaders += 1
            return
        }
        if isTotal(row) {
            counts.totals += 1
            return
        }
        let cutOff = row.fault == .unterminatedQuote || row.cells.count < layout.cellCount
        if cutOff, !row.endsWithLineBreak { cutOffLine = row.line }
        counts.rowsRead += 1
        try putAside(row, reason)
    }

    func isRepeatedHeader(_ row: TableRow) -> Bool {
        guard row.fault == nil else { return false }
        // Folding text is slow, and nearly every quantity begins with a digit, which headers hardly ever do.
        let isDigit = (0x30...0x39).contains(row.cell(quantityColumn).trimmed.first ?? 0x30)
        if isDigit != headerStartsWithDigit { return false }
        return [skuColumn, quantityColumn].allSatisfy { column in
            let cell = row.cell(column).trimmed
            return cell.count <= 400 && !cell.isEmpty
                && folded(String(decoding: cell, as: UTF8.self)) == folded(layout.name(column))
        }
    }

    /// A word for a total, in a row that names no SKU or no warehouse.
    private func isTotal(_ row: TableRow) -> Bool {
        guard row.fault == nil else { return false }
        let lacksWarehouse = layout.warehouse.map { row.cell($0).trimmed.isEmpty } ?? true
        guard lacksWarehouse || row.cell(layout.sku).trimmed.isEmpty else { return false }
        guard let first = row.cells.first(where: { !$0.trimmed.isEmpty })?.trimmed else { return false }
        return SkipRules.isTotalWord(first)
    }

    mutating func putAside(_ row: TableRow, _ reason: SetAsideReason) throws(StockFileError) {
        counts.setAside += 1
        setAside.append(SetAsideRow(line: row.line, rawText: row.rawText, reason: reason))
        try checkBadRows()
    }

    func checkBadRows() throws(StockFileError) {
        guard counts.setAside > badRowLimit else { return }
        let back = takenBack.map { SetAsideRow(line: $0.line, rawText: "", reason: $0.reason) }
        let first = (setAside + back).sorted { $0.line < $1.line }.prefix(5)
        throw .tooManyBadRows(file: file, limit: badRowLimit, first: Array(first))
    }
}
