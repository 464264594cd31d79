internal import Domain
internal import Foundation

// `sources`: where files come from, when, and what holds them back.
extension SectionReader {
    func sources(zone: TimeZone, warehouses: [WarehouseName]) -> [StockbridgeConfiguration.Source] {
        var names = NameRegistry("source")
        return list("sources", warningIfEmpty: "there is no source yet; no stock file is looked for") { entry in
            let name = entry.identifier("name")
            names.register(name, in: entry)
            return entry.source(name: name, zone: zone, warehouses: warehouses)
        }
    }

    private func source(
        name: String, zone: TimeZone, warehouses: [WarehouseName]
    ) -> StockbridgeConfiguration.Source {
        let location = section("location") { $0.location() }
        let schedule = section("schedule") { $0.schedule(default: nil, zone: zone) }
        let format = section("format") { $0.fileFormat(warehouses: warehouses) }
        let asOf = section(withDefaults: "as_of") { $0.asOf(zone: schedule.timeZone) }
        if asOf.from == .column, format.columns.asOf.isEmpty {
            report(
                "as_of", "from: column needs the column's headings",
                suggestion: "add as_of to format.columns, or take the time from mtime or file_name")
        }
        return StockbridgeConfiguration.Source(
            name: SourceName(name), location: location, schedule: schedule,
            lookEverySeconds: integer("look_every_seconds", default: 30, in: 1...3600),
            lateAfterMinutes: integer("late_after_minutes", default: 20, in: 1...1440), format: format, asOf: asOf,
            quantities: choice("quantities", of: StockbridgeConfiguration.QuantityKind.self) ?? .gross,
            completeWhen: section(withDefaults: "complete_when") { $0.completeness() },
            gate: section(withDefaults: "gate") { $0.gate() })
    }

    private func asOf(zone: TimeZone) -> StockbridgeConfiguration.AsOf {
        let from = choice("from", default: StockbridgeConfiguration.AsOf.Origin.mtime)
        let pattern = optionalText("pattern")
        if let pattern {
            let groups = checkExpression(pattern, path: pathOf("pattern"), place: placeOf("pattern"))
            if from != .fileName {
                report("pattern", "is read only where from is file_name", suggestion: "remove it, or change from")
            } else if groups == 0, (try? NSRegularExpression(pattern: pattern)) != nil {
                report(
                    "pattern", "has no group that holds the time",
                    suggestion: "put the digits in round brackets, such as \"stock-(\\\\d{8}-\\\\d{4})\"")
            }
        } else if from == .fileName, !has("pattern") {
            reportMissing("pattern", because: "and from is file_name")
        }
        return StockbridgeConfiguration.AsOf(
            from: from, pattern: pattern, timeZone: timeZone("time_zone", default: zone))
    }

    private enum CompletenessWord: String, CaseIterable { case stable, marker, rename }

    private func completeness() -> StockbridgeConfiguration.Completeness {
        let word = choice("type", default: CompletenessWord.stable)
        let suffix = text("marker_suffix", default: ".done")
        if word != .marker {
            if has("marker_suffix") {
                report("marker_suffix", "is read only where type is marker", suggestion: "remove it, or change type")
            }
            forget("marker_suffix")
        }
        if suffix.contains("/") { report("marker_suffix", "must not contain a slash") }
        switch word {
        case .stable: return .stable
        case .marker: return .marker(suffix: suffix)
        case .rename: return .rename
        }
    }

    private func gate() -> StockbridgeConfiguration.Gate {
        StockbridgeConfiguration.Gate(
            maxBadRows: integer("max_bad_rows", default: 100, in: 0...1_000_000),
            maxRowChange: decimal("max_row_change", default: 0.2, in: 0...1000),
            maxToZero: decimal("max_to_zero", default: 0.3, in: 0...1),
            maxUnitsChange: decimal("max_units_change", default: 0.5, in: 0...1000),
            maxBytes: integer("max_bytes", default: 268_435_456, in: 1...17_179_869_184))
    }
}
