internal import Domain
internal import Foundation

// The file as a whole and its small sections.
extension SectionReader {
    func configuration() -> StockbridgeConfiguration {
        let company = text("company")
        let zone = timeZone("time_zone", default: nil)
        let broker = section("broker") { $0.broker() }
        let database = section("database") { $0.database() }
        let admin = optionalSection("admin") { $0.administration() }
        let http = section(withDefaults: "http") { $0.http() }
        let webhooks = section(withDefaults: "webhooks") { $0.webhooks() }
        let mail = section("mail") { $0.mail() }
        let people = people()
        let warehouses = warehouses()
        let sources = sources(zone: zone, warehouses: warehouses.map(\.name))
        let shops = shops(zone: zone, warehouses: warehouses)
        let erp = section(withDefaults: "erp") { $0.erp() }
        let retry = section(withDefaults: "retry") { $0.retry() }
        let groups = people.map(\.name)
        let alerts = section("alerts") { $0.alerts(groups: groups) }
        let reconciliation = section(withDefaults: "reconciliation") {
            $0.reconciliation(zone: zone, groups: groups, alerts: alerts)
        }
        let reports = section(withDefaults: "reports") { $0.reports(groups: groups, alerts: alerts) }
        return StockbridgeConfiguration(
            company: company, timeZone: zone, broker: broker, database: database, admin: admin, http: http,
            webhooks: webhooks, mail: mail, people: people, sources: sources, warehouses: warehouses, shops: shops,
            erp: erp, reconciliation: reconciliation, reports: reports, retry: retry, alerts: alerts,
            warnings: log.warnings, file: log.file, lines: log.lines, effective: .mapping(effective))
    }

    private func people() -> [StockbridgeConfiguration.PeopleGroup] {
        namedTexts("people", isRequired: true).map { name, _, items in
            for item in items { checkAddress(item.text, path: item.path, place: item.place) }
            reportRepeated(items, what: "the address is")
            return StockbridgeConfiguration.PeopleGroup(name: name, addresses: items.map(\.text))
        }
    }

    private func warehouses() -> [StockbridgeConfiguration.Warehouse] {
        var names = NameRegistry("warehouse")
        return list("warehouses") { entry in
            let name = entry.text("name")
            names.register(name, in: entry)
            return StockbridgeConfiguration.Warehouse(
                name: WarehouseName(name), safety: entry.quantity("safety", default: .zero))
        }
    }

    private func alerts(groups: [String]) -> StockbridgeConfiguration.Alerts {
        StockbridgeConfiguration.Alerts(
            to: checkGroups(texts("to", isRequired: true), among: groups), limits: alertLimits())
    }
}

/// Finds names that are given twice.
struct NameRegistry {
    private let what: String
    private var lines: [String: Int] = [:]

    init(_ what: String) { self.what = what }

    /// Notes the name of an entry, which stands under `key`; complains if an earlier entry has it.
    mutating func register(_ name: String, in entry: SectionReader, key: String = "name") {
        guard !name.isEmpty else { return }
        if let line = lines[name] {
            entry.report(
                key, "\(quoted(name)) is already the name of the \(what) in line \(line)",
                suggestion: "give one of them another name")
        } else {
            lines[name] = entry.placeOf(key).line
        }
    }
}
