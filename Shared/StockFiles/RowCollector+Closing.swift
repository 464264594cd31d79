internal import Domain
internal import Foundation

extension RowCollector {
    /// Gives numbers like `1,234` their meaning, if the configuration or the file's other numbers decide it; else their
    /// rows are set aside.
    mutating func resolveAmbiguousNumbers() throws(StockFileError) {
        guard ambiguousRows > 0 else { return }
        let decided = numbers.decided
        for index in 0..<store.count {
            let flags = store.rows[index].flags
            if flags.isDisjoint(with: .ambiguous) || flags.contains(.dropped) { continue }
            guard decided != .auto else {
                let column =
                    flags.isDisjoint(with: [.commaOnHand, .pointOnHand])
                    ? layout.reserved ?? layout.onHand : layout.onHand
                takeBack(index, .ambiguousNumber(column: layout.name(column)))
                try checkBadRows()
                continue
            }
            if !flags.isDisjoint(with: [.commaOnHand, .pointOnHand]) {
                let decimals = flags.contains(.commaOnHand) == (decided == .comma)
                store.rows[index].onHand *= decimals ? 1_000 : 1_000_000
            }
            if !flags.isDisjoint(with: [.commaReserved, .pointReserved]), let reserved = store.reserved {
                let decimals = flags.contains(.commaReserved) == (decided == .comma)
                reserved[index] *= decimals ? 1_000 : 1_000_000
            }
            store.rows[index].flags.subtract(.ambiguous)
        }
    }

    /// Reads the texts of the rows that were taken back once more.
    mutating func readTakenBackRows(from table: some StockTable) throws(StockFileError) {
        guard !takenBack.isEmpty else { return }
        let texts = try table.rawTexts(ofLines: Set(takenBack.map(\.line)))
        for (line, reason) in takenBack {
            setAside.append(SetAsideRow(line: line, rawText: texts[line] ?? "", reason: reason))
        }
        takenBack = []
    }

    /// The final counts and notes; the rows change no more after this.
    consuming func closeBooks(_ layout: ParsedStockFile.Layout) -> ParsedStockFile {
        var notes: [RowNote] = []
        var total = Quantity.zero
        for index in 0..<store.count {
            let row = store.rows[index]
            if row.flags.contains(.dropped) { continue }
            if row.onHand < 0 {
                counts.negative += 1
                note(.negative, row, in: &notes)
            } else {
                total += Quantity(micro: row.onHand)
                if row.onHand % Quantity.microPerUnit != 0 {
                    counts.fractional += 1
                    note(.fractional, row, in: &notes)
                }
            }
        }
        let warehouses = (0..<store.warehouses.count).map { WarehouseName(rawValue: store.warehouses.text($0)) }
        let live = liveSKUs()
        return ParsedStockFile(
            file: file, layout: layout, counts: counts, setAside: setAside.sorted { $0.line < $1.line }, notes: notes,
            asOf: oldestAsOf, asOfVaries: asOfVaries, warehouses: warehouses, skuCount: live, totalUnits: total,
            store: FrozenRows(store))
    }

    private func note(_ kind: RowNote.Kind, _ row: PackedRow, in notes: inout [RowNote]) {
        guard notes.count < ParsedStockFile.notesLimit else { return }
        notes.append(
            RowNote(
                line: Int(row.line), sku: store.skus.text(Int(row.sku)),
                warehouse: store.warehouses.text(Int(row.warehouse)),
                quantity: Quantity(micro: row.onHand).description, kind: kind))
    }

    private func liveSKUs() -> Int {
        var count = 0
        for sku in 0..<store.skus.count {
            var link = store.heads[sku]
            while link != 0 {
                let row = store.rows[Int(link) - 1]
                if !row.flags.contains(.dropped) {
                    count += 1
                    break
                }
                link = row.next
            }
        }
        return count
    }
}
