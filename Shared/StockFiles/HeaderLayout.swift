internal import Domain
internal import Foundation

/// Which column holds what.
struct HeaderLayout {
    /// One warehouse's column in a wide file.
    struct WarehouseColumn {
        let column: Int
        let warehouse: WarehouseName
    }

    let line: Int
    /// The header texts, trimmed.
    let names: [String]
    /// Cells up to the last one with a text; rows must have as many.
    let cellCount: Int
    let sku: Int
    let warehouse: Int?
    let onHand: Int
    let reserved: Int?
    let asOf: Int?
    /// Empty for a long file.
    let wide: [WarehouseColumn]

    /// The header text of a column, for messages.
    func name(_ column: Int) -> String { column < names.count ? names[column] : "column \(column + 1)" }
}

/// Recognises the header by the aliases of the configuration.
struct HeaderMatcher {
    /// What a line turned out to be.
    enum Match {
        case header(HeaderLayout)
        /// Not the header; how many columns it has, and which are missing.
        case no(found: Int, missing: [StockFileError.MissingColumn])
        /// A column's best alias stands in the line more than once.
        case repeated(column: String, headers: [String])
    }

    private let format: StockFileFormat
    private let sku: [String]
    private let warehouse: [String]
    private let onHand: [String]
    private let reserved: [String]
    private let asOf: [String]
    private let wide: [(header: String, folded: String, warehouse: WarehouseName)]

    init(_ format: StockFileFormat) {
        self.format = format
        sku = format.columns.sku.map(folded)
        warehouse = format.columns.warehouse.map(folded)
        onHand = format.columns.onHand.map(folded)
        reserved = format.columns.reserved.map(folded)
        asOf = format.columns.asOf.map(folded)
        wide = format.wideWarehouses.sorted { $0.key < $1.key }.map { ($0.key, folded($0.key), $0.value) }
    }

    private enum Found {
        case none
        case at(Int)
        case twice([Int])
    }

    /// The first alias that matches wins, so the order in the configuration is an order of preference.
    private func find(_ aliases: [String], in cells: [String]) -> Found {
        for alias in aliases where !alias.isEmpty {
            let places = cells.indices.filter { cells[$0] == alias }
            if places.count == 1 { return .at(places[0]) }
            if places.count > 1 { return .twice(places) }
        }
        return .none
    }

    /// What the line with these cells is.
    func match(_ texts: [String], line: Int) -> Match {
        let cells = texts.map(folded)
        var missing: [StockFileError.MissingColumn] = []
        var found: [String: Int] = [:]
        var wanted: [(name: String, folded: [String], aliases: [String], required: Bool)] = [
            ("sku", sku, format.columns.sku, true),
            ("reserved", reserved, format.columns.reserved, false),
        ]
        if wide.isEmpty {
            wanted.append(("warehouse", warehouse, format.columns.warehouse, format.defaultWarehouse == nil))
            wanted.append(("on_hand", onHand, format.columns.onHand, true))
        } else {
            wanted += wide.map { ("wide_warehouses." + $0.warehouse.rawValue, [$0.folded], [$0.header], true) }
        }
        if format.asOfFromColumn { wanted.append(("as_of", asOf, format.columns.asOf, true)) }
        for column in wanted {
            switch find(column.folded, in: cells) {
            case .at(let index): found[column.name] = index
            case .twice(let places):
                if column.required { return .repeated(column: column.name, headers: places.map { texts[$0] }) }
            case .none:
                if column.required { missing.append(.init(name: column.name, aliases: column.aliases)) }
            }
        }
        guard missing.isEmpty, let skuColumn = found["sku"] else { return .no(found: found.count, missing: missing) }
        return .header(layout(texts, line: line, sku: skuColumn, found: found))
    }

    private func layout(_ texts: [String], line: Int, sku: Int, found: [String: Int]) -> HeaderLayout {
        let columns = wide.compactMap { entry in
            found["wide_warehouses." + entry.warehouse.rawValue].map {
                HeaderLayout.WarehouseColumn(column: $0, warehouse: entry.warehouse)
            }
        }
        return HeaderLayout(
            line: line, names: texts, cellCount: (texts.lastIndex { !$0.isEmpty } ?? 0) + 1, sku: sku,
            warehouse: found["warehouse"], onHand: found["on_hand"] ?? 0,
            reserved: wide.isEmpty ? found["reserved"] : nil, asOf: found["as_of"],
            wide: columns.sorted { $0.column < $1.column })
    }
}
