internal import Domain
internal import Yams

// `sources[].format`: how files are written.
extension SectionReader {
    func fileFormat(warehouses: [WarehouseName]) -> StockbridgeConfiguration.FileFormat {
        typealias Format = StockbridgeConfiguration.FileFormat
        let type = choice("type", default: Format.Kind.auto)
        let encoding = choice("encoding", default: Format.Encoding.auto)
        let separator = choice("separator", default: Format.Separator.auto, spelled: ["tab": .tab])
        let decimal = choice("decimal", default: Format.DecimalMark.auto)
        let wide = wideWarehouses(known: warehouses)
        let columns = section("columns") { $0.columns(isWide: !wide.isEmpty) }
        let skips = texts("skip_patterns", isRequired: false)
        for skip in skips { checkExpression(skip.text, path: skip.path, place: skip.place) }
        return Format(
            type: type, encoding: encoding, separator: separator, decimal: decimal, columns: columns,
            wideWarehouses: wide, skipPatterns: skips.map(\.text),
            duplicates: choice("duplicates", default: Format.DuplicatePolicy.reject), missingSKU: missingSKU())
    }

    private func wideWarehouses(known: [WarehouseName]) -> [WarehouseName: [String]] {
        var headings: [Item] = []
        var result: [WarehouseName: [String]] = [:]
        for (name, place, items) in namedTexts("wide_warehouses", isRequired: false) {
            let path = "\(pathOf("wide_warehouses")).\(name)"
            if !known.isEmpty, !known.contains(WarehouseName(name)) {
                log.report(
                    path, place, "\(quoted(name)) is no warehouse",
                    suggestion: Suggestion.sentence(for: name, among: known.map(\.rawValue)))
            }
            result[WarehouseName(name)] = items.map(\.text)
            headings += items
        }
        reportRepeated(headings, what: "the heading is")
        return result
    }

    private func columns(isWide: Bool) -> StockbridgeConfiguration.Columns {
        let sku = texts("sku", isRequired: true)
        let warehouse = texts("warehouse", isRequired: false)
        let onHand = texts("on_hand", isRequired: false)
        for key in ["warehouse", "on_hand"] {
            if isWide, has(key) {
                report(
                    key, "goes not together with wide_warehouses, where each warehouse has its own column",
                    suggestion: "remove one of the two")
            }
            if !isWide, !has(key) { reportMissing(key, because: "and there are no wide_warehouses either") }
        }
        let reserved = texts("reserved", isRequired: false)
        let asOf = texts("as_of", isRequired: false)
        reportRepeated(sku + warehouse + onHand + reserved + asOf, what: "the heading is")
        return StockbridgeConfiguration.Columns(
            sku: sku.map(\.text), warehouse: warehouse.map(\.text), onHand: onHand.map(\.text),
            reserved: reserved.map(\.text), asOf: asOf.map(\.text))
    }

    private enum MissingWord: String, CaseIterable { case keep, zero }

    /// `keep`, `zero`, or `{zero_after: N}`.
    private func missingSKU() -> StockbridgeConfiguration.FileFormat.MissingSKUPolicy {
        if entries["missing_sku"]?.node.mapping != nil {
            let files = section(withDefaults: "missing_sku") { section in
                if !section.has("zero_after") { section.reportMissing("zero_after") }
                return section.integer("zero_after", derived: 1, in: 1...1000)
            }
            return .zeroAfter(files: files)
        }
        return choice("missing_sku", default: MissingWord.keep) == .keep ? .keep : .zero
    }
}
