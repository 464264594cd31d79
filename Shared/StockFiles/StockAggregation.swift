public import Domain

/// Units per SKU over warehouses.
public struct StockTotals: Sendable {
    private let store: FrozenRows
    private let totals: [Int64]
    /// SKUs with at least one accepted row in one of the warehouses.
    public let count: Int

    /// Adds the warehouses up: sum of max(0, on_hand - safety), the `gross` of domain.md section 2.
    ///
    /// - Parameters:
    ///   - file: The accepted rows.
    ///   - warehouses: Those to add up; nil for all.
    ///   - safety: What each warehouse keeps for itself; 0 where it is not named.
    public init(
        of file: ParsedStockFile, warehouses: Set<WarehouseName>? = nil, safety: [WarehouseName: Quantity] = [:]
    ) {
        let store = file.store
        let included = file.warehouses.map { warehouses?.contains($0) ?? true }
        let kept = file.warehouses.map { safety[$0]?.micro ?? 0 }
        var totals = [Int64](repeating: -1, count: store.rows.skus.count)
        var count = 0
        totals.withUnsafeMutableBufferPointer { totals in
            for index in 0..<store.rows.count {
                let row = store.rows.rows[index]
                let warehouse = Int(row.warehouse)
                guard !row.flags.contains(.dropped), included[warehouse] else { continue }
                let sku = Int(row.sku)
                if totals[sku] < 0 {
                    totals[sku] = 0
                    count += 1
                }
                let units = max(0, row.onHand.subtractingReportingOverflow(kept[warehouse]).partialValue)
                let (sum, overflow) = totals[sku].addingReportingOverflow(units)
                totals[sku] = overflow ? .max : sum
            }
        }
        self.store = store
        self.totals = totals
        self.count = count
    }

    /// Visits every SKU in the order of the file: its bytes (UTF-8) and its units.
    public func forEach<Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>, Quantity) throws(Failure) -> Void
    ) throws(Failure) {
        for sku in 0..<totals.count where totals[sku] >= 0 {
            try body(store.rows.skus.bytes(sku), Quantity(micro: totals[sku]))
        }
    }

    /// The units of one SKU; nil if no row of these warehouses names it.
    public subscript(_ erpCode: ERPCode) -> Quantity? {
        let bytes = Array(erpCode.rawValue.utf8)
        let sku = bytes.withUnsafeBufferPointer { store.rows.skus.findFrozen($0) }
        guard let sku, totals[sku] >= 0 else { return nil }
        return Quantity(micro: totals[sku])
    }
}
