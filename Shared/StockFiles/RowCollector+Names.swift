internal import Foundation
internal import Spreadsheets

extension RowCollector {
    /// What became of a name.
    enum Name {
        case index(Int)
        case rejected(SetAsideReason)
        /// The name is a word for a total.
        case total
        /// The name is the header's text for it, and so is the quantity.
        case repeatedHeader
    }

    @inline(__always)
    mutating func skuIndex(_ row: TableRow) -> Name {
        let name = row.cell(skuColumn).trimmed
        // Files come with a SKU's warehouses together, or warehouse by warehouse with the SKUs in one order.
        if row.kind(skuColumn) == .text {
            if store.skus.matches(lastSKU, name) { return .index(lastSKU) }
            if store.skus.matches(lastSKU + 1, name) {
                lastSKU += 1
                return .index(lastSKU)
            }
        }
        let hash = store.skus.hash(name)
        if !name.isEmpty, row.kind(skuColumn) == .text, let index = store.skus.find(name, hash: hash) {
            lastSKU = index
            return .index(index)
        }
        if isPlainNewSKU(name, row) {
            lastSKU = store.skus.insert(name, hash: hash)
            store.addHead(lastSKU)
            return .index(lastSKU)
        }
        let admitted = admitSKU(name, row)
        if case .index(let index) = admitted { lastSKU = index }
        return admitted
    }

    /// Whether a SKU that is not known needs no closer look: visible ASCII with a digit in it and no `+`, beside a
    /// quantity that begins with a digit. So it is no header, no total, not damaged and nothing to normalise.
    @inline(__always)
    private func isPlainNewSKU(_ name: UnsafeBufferPointer<UInt8>, _ row: TableRow) -> Bool {
        guard row.kind(skuColumn) == .text, name.count <= plainNameLimit else { return false }
        guard let first = row.cell(quantityColumn).first, first &- 0x30 <= 9, !headerStartsWithDigit else {
            return false
        }
        var hasDigit = false
        for byte in name {
            if byte &- 0x21 > 0x5D || byte == UInt8(ascii: "+") { return false }
            if byte &- 0x30 <= 9 { hasDigit = true }
        }
        return hasDigit
    }

    /// A SKU that was not met before in these bytes and is not of the usual kind.
    private mutating func admitSKU(_ name: UnsafeBufferPointer<UInt8>, _ row: TableRow) -> Name {
        if name.isEmpty { return .rejected(.blankSKU) }
        if isRepeatedHeader(row) { return .repeatedHeader }
        let column = layout.name(layout.sku)
        var exact: [UInt8] = []
        switch row.kind(layout.sku) {
        case .error: return .rejected(.errorCell(column: column, text: name.text(limit: 60)))
        case .date, .boolean: return .rejected(.damagedSKU(text: name.text(limit: 60)))
        case .number:
            // A worksheet keeps 15 digits of a number; a longer code has lost its last ones.
            guard let decimal = ExactDecimal(name), decimal.plainText.utf8.count <= 15 else {
                return .rejected(.damagedSKU(text: name.text(limit: 60)))
            }
            exact = Array(decimal.plainText.utf8)
        case .text, .empty:
            if Self.looksScientific(name) { return .rejected(.damagedSKU(text: name.text(limit: 60))) }
            if SkipRules.isTotalWord(name) { return .total }
        }
        if exact.isEmpty { return admit(name, column: column, isSKU: true) }
        return exact.withUnsafeBufferPointer { bytes in
            admit(bytes, column: column, isSKU: true)
        }
    }

    /// Adds a name in normalisation form C, unless it is there already.
    private mutating func admit(_ name: UnsafeBufferPointer<UInt8>, column: String, isSKU: Bool) -> Name {
        let limit = format.limits.nameBytes
        if name.count > limit { return .rejected(.nameTooLong(column: column, limitBytes: limit)) }
        if name.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return .rejected(.controlCharacter) }
        if name.isASCII { return .index(findOrInsert(name, isSKU: isSKU)) }
        let text = String(decoding: name, as: UTF8.self).precomposedStringWithCanonicalMapping
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { .index(findOrInsert($0, isSKU: isSKU)) }
    }

    private mutating func findOrInsert(_ name: UnsafeBufferPointer<UInt8>, isSKU: Bool) -> Int {
        guard isSKU else {
            let hash = store.warehouses.hash(name)
            if let index = store.warehouses.find(name, hash: hash) { return index }
            return store.warehouses.insert(name, hash: hash)
        }
        let hash = store.skus.hash(name)
        if let index = store.skus.find(name, hash: hash) { return index }
        let index = store.skus.insert(name, hash: hash)
        store.addHead(index)
        return index
    }

    @inline(__always)
    mutating func warehouseIndex(_ row: TableRow) -> Name {
        let name = row.cell(warehouseColumn).trimmed
        // Rows mostly come warehouse by warehouse, or the same two in turn.
        if store.warehouses.matches(lastWarehouse, name) { return .index(lastWarehouse) }
        if store.warehouses.matches(lastWarehouse ^ 1, name) {
            lastWarehouse ^= 1
            return .index(lastWarehouse)
        }
        if name.isEmpty { return .rejected(.blankWarehouse) }
        let hash = store.warehouses.hash(name)
        if let index = store.warehouses.find(name, hash: hash) {
            lastWarehouse = index
            return .index(index)
        }
        if row.kind(warehouseColumn) == .error {
            return .rejected(.errorCell(column: layout.name(warehouseColumn), text: name.text(limit: 60)))
        }
        return admit(name, column: layout.name(warehouseColumn), isSKU: false)
    }

    /// Digits, perhaps a point, and `E+` with an exponent: what spreadsheets make of a long code.
    private static func looksScientific(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let mark = name.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }), mark > 0, mark + 2 < name.count,
            name[mark + 1] == UInt8(ascii: "+")
        else { return false }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        return name[(mark + 2)...].allSatisfy(isDigit)
            && name[..<mark].allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
    }
}
