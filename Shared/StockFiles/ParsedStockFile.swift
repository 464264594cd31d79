public import DelimitedText
public import Domain
public import Foundation

/// A stock file that was read to its end, with every row accounted for.
///
/// Rows lie in memory at about 24 bytes each, SKUs once. Iterating makes no strings unless they are asked for.
public struct ParsedStockFile: Sendable {
    /// What the file turned out to be.
    public struct Layout: Sendable, Equatable {
        /// Delimited text or a workbook; never `auto`.
        public internal(set) var type: StockFileFormat.FileType
        /// The encoding; nil for a workbook.
        public internal(set) var encoding: TextEncoding?
        /// The separator; nil for a workbook.
        public internal(set) var separator: Character?
        /// The worksheet; nil for delimited text.
        public internal(set) var sheet: String?
        /// What the numbers in text showed or the configuration declared; `auto` if nothing had to be decided.
        public internal(set) var decimal: StockFileFormat.DecimalMark
        /// The line or row number of the header.
        public internal(set) var headerLine: Int
        /// The header's texts.
        public internal(set) var header: [String]
    }

    /// One accepted row, without strings; valid while the file is.
    public struct RowView {
        fileprivate let store: FrozenRows
        fileprivate let index: Int

        /// Counts distinct SKUs from 0; SKUs that have no accepted row leave gaps.
        public var skuIndex: Int { Int(store.rows.rows[index].sku) }
        /// The SKU's bytes: UTF-8, trimmed, normalisation form C, leading zeros kept.
        public var skuBytes: UnsafeBufferPointer<UInt8> { store.rows.skus.bytes(skuIndex) }
        /// The article's code.
        public var erpCode: ERPCode { ERPCode(rawValue: store.rows.skus.text(skuIndex)) }
        /// Into ``ParsedStockFile/warehouses``.
        public var warehouseIndex: Int { Int(store.rows.rows[index].warehouse) }
        /// On hand; a negative one counts as 0 here.
        public var onHand: Quantity { Quantity(micro: max(store.rows.rows[index].onHand, 0)) }
        /// Reserved, negative ones as 0; nil if the file has no such column.
        public var reserved: Quantity? {
            store.rows.reserved.map { Quantity(micro: max($0[index], 0)) }
        }
        /// The line or row number, from 1. For sums, that of the first row.
        public var line: Int { Int(store.rows.rows[index].line) }
    }

    /// The file's name, as it was given.
    public let file: String
    /// What the file turned out to be.
    public let layout: Layout
    /// How every row is accounted for.
    public let counts: StockFileCounts
    /// The rows that were set aside, by line.
    public let setAside: [SetAsideRow]
    /// The first ``notesLimit`` notes about accepted rows; ``StockFileCounts`` has the full numbers.
    public let notes: [RowNote]
    /// The `as_of` column's time; the oldest if rows differ. nil unless configured.
    public let asOf: Date?
    /// Whether rows state different times.
    public let asOfVaries: Bool
    /// The warehouses that the rows name, in order of appearance.
    public let warehouses: [WarehouseName]
    /// Distinct SKUs with at least one accepted row.
    public let skuCount: Int
    /// Units on hand over all accepted rows, negatives as 0; saturates.
    public let totalUnits: Quantity

    /// How many notes are kept.
    public static let notesLimit = 1_000

    let store: FrozenRows

    /// Visits every accepted row in the order of the file.
    public func forEachRow<Failure: Error>(_ body: (RowView) throws(Failure) -> Void) throws(Failure) {
        for index in 0..<store.rows.count where !store.rows.rows[index].flags.contains(.dropped) {
            try body(RowView(store: store, index: index))
        }
    }

    /// Visits every accepted row ordered by SKU (as bytes), then warehouse (in the order of ``warehouses``).
    ///
    /// For merging with another sorted set in one pass. The order of SKUs is found on each call.
    public func forEachRowSortedBySKU<Failure: Error>(_ body: (RowView) throws(Failure) -> Void) throws(Failure) {
        var indices: [Int] = []
        for sku in store.skusInOrder() {
            indices.removeAll(keepingCapacity: true)
            store.appendRows(of: sku, to: &indices)
            indices.sort { store.rows.rows[$0].warehouse < store.rows.rows[$1].warehouse }
            for index in indices { try body(RowView(store: store, index: index)) }
        }
    }

    /// The accepted row of a SKU and warehouse.
    public func row(_ erpCode: ERPCode, _ warehouse: WarehouseName) -> RowView? {
        guard let place = warehouses.firstIndex(of: warehouse) else { return nil }
        let bytes = Array(erpCode.rawValue.utf8)
        let index = bytes.withUnsafeBufferPointer { name -> Int? in
            store.rows.skus.findFrozen(name)
                .flatMap { store.rows.find(sku: $0, warehouse: place) }
        }
        guard let index, !store.rows.rows[index].flags.contains(.dropped) else { return nil }
        return RowView(store: store, index: index)
    }
}

/// The rows of a file that has been read.
///
/// `@unchecked Sendable`: the store is written only while the file is read, by one thread, and is a constant here.
final class FrozenRows: @unchecked Sendable {
    let rows: RowStore

    init(_ rows: consuming RowStore) {
        rows.skus.freeze()
        rows.warehouses.freeze()
        self.rows = rows
    }

    /// Indices of the SKUs that have rows, in order of their bytes.
    func skusInOrder() -> [Int] {
        var order = (0..<rows.skus.count).filter { rows.heads[$0] != 0 }
        order.sort { rows.skus.bytes($0).lexicographicallyPrecedes(rows.skus.bytes($1)) }
        return order
    }

    func appendRows(of sku: Int, to indices: inout [Int]) {
        var link = rows.heads[sku]
        while link != 0 {
            let index = Int(link) - 1
            if !rows.rows[index].flags.contains(.dropped) { indices.append(index) }
            link = rows.rows[index].next
        }
    }
}
