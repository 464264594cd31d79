internal import Domain
internal import Foundation

// What orders need: a shop's own settings, the shops' webhooks, the ERP, the reconciliation.
extension SectionReader {
    func orders(platform: StockbridgeConfiguration.Platform?) -> StockbridgeConfiguration.OrderSettings {
        let collect = boolean("collect", default: true)
        if !collect { warn("collect", "the shop's orders are not collected, so it is offered what they already took") }
        let webhookSecret = optionalSecret("webhook_secret")
        if platform == .shopify, has("webhook_secret") {
            report(
                "webhook_secret", "is read only where platform is woocommerce",
                suggestion: "remove it; Shopify signs with credentials.client_secret")
        }
        return StockbridgeConfiguration.OrderSettings(
            collect: collect, everySeconds: integer("every_seconds", default: 60, in: 5...86_400),
            overlapMinutes: integer("overlap_minutes", default: 10, in: 1...1440),
            lagSeconds: integer("lag_seconds", default: 30, in: 0...600),
            clockToleranceSeconds: integer("clock_tolerance_seconds", default: 5, in: 0...600),
            webhookSecret: webhookSecret,
            unpaidReserveMinutes: integer("unpaid_reserve_minutes", default: 60, in: 0...43_200),
            roundingTolerance: amount("rounding_tolerance", default: Amount(1)),
            repairDays: integer("repair_days", default: 7, in: 1...90))
    }

    private func amount(_ key: String, default fallback: Amount) -> Amount {
        Amount(micro: quantity(key, default: Quantity(micro: fallback.micro)).micro)
    }

    /// `shops[].currencies`.
    func currencies() -> [CurrencyCode] {
        let items = texts("currencies", KeyFact(type: "array", defaultValue: .list([.text("VND")])), default: ["VND"])
        reportRepeated(items, what: "the currency is")
        for item in items where item.text.utf8.count != 3 || !item.text.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        {
            log.report(
                item.path, item.place, "\(quoted(item.text)) is no currency",
                suggestion: "write its three capital letters of ISO 4217, such as VND")
        }
        return items.map { CurrencyCode(rawValue: $0.text) }
    }

    func webhooks() -> StockbridgeConfiguration.Webhooks {
        let insecure = boolean("insecure", default: false)
        return StockbridgeConfiguration.Webhooks(
            bind: text("bind", default: "127.0.0.1"), port: integer("port", default: 8090, in: 0...65_535),
            publicURL: optionalURL("public_url", isInsecure: insecure, insecureKey: "insecure: true"),
            insecure: insecure,
            maximumBodyBytes: integer("maximum_body_bytes", default: 1_048_576, in: 1024...67_108_864))
    }

    func erp() -> StockbridgeConfiguration.ERP {
        let name = identifier("name", default: "erp")
        let mailbox = texts("mailbox", isRequired: false)
        for item in mailbox { checkAddress(item.text, path: item.path, place: item.place) }
        reportRepeated(mailbox, what: "the address is")
        if mailbox.isEmpty {
            warn("mailbox", "there is none, so no order report is sent to the ERP; add the address that takes them")
        }
        return StockbridgeConfiguration.ERP(
            name: name, mailbox: mailbox.map(\.text),
            entryLagMinutes: integer("entry_lag_minutes", default: 120, in: 0...43_200),
            shipLagMinutes: integer("ship_lag_minutes", default: 1440, in: 0...43_200),
            nameLimit: integer("name_limit", default: 20, in: 1...1000),
            reportWaitMinutes: integer("report_wait_minutes", default: 10, in: 0...1440))
    }

    func reconciliation(
        zone: TimeZone, groups: [String], alerts: StockbridgeConfiguration.Alerts
    ) -> StockbridgeConfiguration.Reconciliation {
        let manager = "general_manager"
        return StockbridgeConfiguration.Reconciliation(
            mailBy: section(withDefaults: "mail_by") { $0.schedule(default: "30 6 * * *", zone: zone) },
            to: listeners("to", among: groups, default: groups.contains(manager) ? [manager] : alerts.to))
    }

    func reports(
        groups: [String], alerts: StockbridgeConfiguration.Alerts
    ) -> StockbridgeConfiguration.Reports {
        StockbridgeConfiguration.Reports(notify: listeners("notify", among: groups, default: alerts.to))
    }

    private func listeners(_ key: String, among groups: [String], default fallback: [String]) -> [String] {
        let items = texts(key, KeyFact(type: "array"), default: fallback)
        // What follows from another setting is complained about there.
        return has(key) ? checkGroups(items, among: groups) : fallback
    }

    /// Complains about names that are no groups of people; returns all of them.
    func checkGroups(_ items: [Item], among groups: [String]) -> [String] {
        reportRepeated(items, what: "the group is")
        for item in items where !groups.isEmpty && !groups.contains(item.text) {
            log.report(
                item.path, item.place, "\(quoted(item.text)) is no group in people",
                suggestion: Suggestion.sentence(for: item.text, among: groups))
        }
        return items.map(\.text)
    }
}
