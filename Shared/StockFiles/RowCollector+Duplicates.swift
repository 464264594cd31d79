internal import Foundation

extension RowCollector {
    /// A second row of the same SKU and warehouse.
    mutating func merge(
        _ row: TableRow, into index: Int, onHand: Int64, reserved: Int64, flags: RowFlags
    ) throws(StockFileError) {
        let existing = store.rows[index]
        let sameNotation = existing.flags == flags
        let equal = sameNotation && existing.onHand == onHand && (store.reserved?[index] ?? 0) == reserved
        switch format.duplicates {
        case .reject where equal:
            counts.duplicatesMerged += 1
        case .sum where sameNotation:
            store.rows[index].onHand = Self.sum(existing.onHand, onHand)
            if let total = store.reserved { total[index] = Self.sum(total[index], reserved) }
            counts.duplicatesMerged += 1
        case .last:
            if existing.flags.isEmpty != flags.isEmpty { ambiguousRows += flags.isEmpty ? -1 : 1 }
            store.rows[index].onHand = onHand
            store.rows[index].line = UInt32(truncatingIfNeeded: row.line)
            store.rows[index].flags = flags
            store.reserved?[index] = reserved
            counts.duplicatesMerged += 1
        default:
            try conflict(row, with: index)
        }
    }

    private mutating func conflict(_ row: TableRow, with index: Int) throws(StockFileError) {
        let existing = store.rows[index]
        let reason = SetAsideReason.conflictingDuplicate(
            sku: store.skus.text(Int(existing.sku)), warehouse: store.warehouses.text(Int(existing.warehouse)))
        takeBack(index, reason)
        try putAside(row, reason)
    }

    /// Sets a row aside that was accepted before.
    mutating func takeBack(_ index: Int, _ reason: SetAsideReason) {
        guard !store.rows[index].flags.contains(.dropped) else { return }
        store.rows[index].flags.insert(.dropped)
        takenBack.append((Int(store.rows[index].line), reason))
        counts.accepted -= 1
        counts.setAside += 1
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? (left < 0 ? .min : .max) : sum
    }

    /// Reads the row's `as_of`, which is nearly always that of the row before.
    mutating func readAsOf(_ row: TableRow) -> SetAsideReason? {
        guard let column = layout.asOf else { return nil }
        let cell = row.cell(column).trimmed
        if lastAsOfDate != nil, cell.elementsEqual(lastAsOf) { return nil }
        let text = cell.text(limit: 60)
        guard let date = asOfParser.date(text) else { return .unreadableDate(text: text) }
        if let oldest = oldestAsOf, oldest != date { asOfVaries = true }
        oldestAsOf = min(oldestAsOf ?? date, date)
        lastAsOf = Array(cell)
        lastAsOfDate = date
        return nil
    }
}
