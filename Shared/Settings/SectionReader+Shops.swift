internal import Domain
internal import Foundation

// `shops`: one entry per account at a platform.
extension SectionReader {
    func shops(
        zone: TimeZone, warehouses: [StockbridgeConfiguration.Warehouse]
    ) -> [StockbridgeConfiguration.Shop] {
        var names = NameRegistry("shop")
        var addresses: [String: Int] = [:]
        return list("shops", warningIfEmpty: "there is no shop yet; nothing is published or collected") { entry in
            let name = entry.identifier("name")
            names.register(name, in: entry)
            let shop = entry.shop(name: name, zone: zone, warehouses: warehouses)
            if let line = addresses[shop.url], !shop.url.isEmpty {
                entry.warn("url", "the shop in line \(line) has the same address; they would overwrite each other")
            }
            addresses[shop.url] = addresses[shop.url] ?? entry.placeOf("url").line
            return shop
        }
    }

    private func shop(
        name: String, zone: TimeZone, warehouses: [StockbridgeConfiguration.Warehouse]
    ) -> StockbridgeConfiguration.Shop {
        let platform = choice("platform", of: StockbridgeConfiguration.Platform.self)
        let insecure = boolean("insecure", default: false)
        let url = url("url", isInsecure: insecure, insecureKey: "insecure: true")
        let credentials = section("credentials") { $0.shopCredentials(platform: platform) }
        let apiVersion = apiVersion(platform: platform)
        let location = shopLocation(platform: platform)
        let shopZone = timeZone("time_zone", default: zone)
        let currencies = currencies()
        let caFile = filePath("ca_file")
        let stock = shopWarehouses(known: warehouses.map(\.name))
        let policy = levelPolicy()
        let mapping = section(withDefaults: "mapping") { $0.mapping() }
        let limits = section(withDefaults: "limits") { $0.limits() }
        let staleReserve = quantity("stale_reserve", default: .zero)
        let orders = section(withDefaults: "orders") { $0.orders(platform: platform) }
        let schedules = section(withDefaults: "schedules") { $0.schedules(zone: shopZone) }
        let repairs = boolean("reconcile_repairs", default: false)
        let deadline = integer("run_deadline_minutes", default: 30, in: 1...1440)
        let stale = integer("feed_stale_after_minutes", default: 30, in: 1...1440)
        let safety = warehouses.filter { stock.contains($0.name) }
            .map { SettingsValue.Entry(key: $0.name.rawValue, value: .number($0.safety.description)) }
        let canonical = SettingsValue.mapping(effective + [.init(key: "warehouse_safety", value: .mapping(safety))])
        return StockbridgeConfiguration.Shop(
            name: ShopName(name), platform: platform ?? .woocommerce, url: url, insecure: insecure,
            credentials: credentials, apiVersion: apiVersion, location: location, timeZone: shopZone,
            currencies: currencies, caFile: caFile, warehouses: stock, share: policy.share, cap: policy.cap,
            buffer: policy.buffer, stopSellingAt: policy.stopSellingAt, staleReserve: staleReserve, mapping: mapping,
            limits: limits, schedules: schedules, orders: orders, reconcileRepairs: repairs,
            runDeadlineMinutes: deadline, feedStaleAfterMinutes: stale,
            canonicalDescription: canonical.canonicalDescription)
    }

    private func schedules(zone: TimeZone) -> StockbridgeConfiguration.Schedules {
        StockbridgeConfiguration.Schedules(
            catalogue: section(withDefaults: "catalogue") { $0.schedule(default: "30 5 * * *", zone: zone) },
            report: section(withDefaults: "report") { $0.schedule(default: "0 12 * * *", zone: zone) },
            orderRepair: section(withDefaults: "order_repair") { $0.schedule(default: "0 3 * * *", zone: zone) })
    }

    private func shopWarehouses(known: [WarehouseName]) -> [WarehouseName] {
        let items = texts("warehouses", isRequired: true)
        reportRepeated(items, what: "the warehouse is")
        for item in items where !known.isEmpty && !known.contains(WarehouseName(item.text)) {
            log.report(
                item.path, item.place, "\(quoted(item.text)) is no warehouse",
                suggestion: Suggestion.sentence(for: item.text, among: known.map(\.rawValue)))
        }
        return items.map { WarehouseName($0.text) }
    }

    private func levelPolicy() -> LevelPolicy {
        let share = share("share", default: .whole)
        if share == .none { warn("share", "is 0, so the shop always shows 0") }
        return LevelPolicy(
            buffer: quantity("buffer", default: .zero), stopSellingAt: quantity("stop_selling_at", default: 1),
            share: share, cap: integer("cap", default: 99_999, in: 0...1_000_000_000))
    }

    private func mapping() -> StockbridgeConfiguration.Mapping {
        let standard: [NormalizationRule] = [.trim, .uppercase]
        let fact = KeyFact(
            type: "array", defaultValue: .list(standard.map { .text($0.rawValue) }),
            choices: NormalizationRule.allCases.map(\.rawValue))
        let items = take("rules", fact).map { texts($0.node, path: pathOf("rules"), isRequired: false) }
        reportRepeated(items ?? [], what: "the rule is")
        let rules = items.map { $0.compactMap(rule) } ?? standard
        record("rules", .list(rules.map { .text($0.rawValue) }))
        return StockbridgeConfiguration.Mapping(rules: rules)
    }

    private func rule(_ item: Item) -> NormalizationRule? {
        if let rule = NormalizationRule(rawValue: item.text) { return rule }
        let possible = NormalizationRule.allCases.map(\.rawValue)
        log.report(
            item.path, item.place, "\(quoted(item.text)) is no rule",
            suggestion: Suggestion.sentence(for: item.text, among: possible))
        return nil
    }

    private func limits() -> StockbridgeConfiguration.Limits {
        StockbridgeConfiguration.Limits(
            requestsPerSecond: decimal("requests_per_second", default: 10, in: 0.01...1000),
            burst: integer("burst", default: 10, in: 1...1000),
            inFlight: integer("in_flight", default: 2, in: 1...100),
            batch: integer("batch", default: 100, in: 1...100),
            requestTimeoutSeconds: decimal("request_timeout_seconds", default: 30, in: 1...600))
    }
}
