import Contracts
import Domain
import Foundation

extension MailComposer {
    func heldOrders(_ orders: [HeldOrderLine], named: Int) -> MailContent {
        let count = orders.count == 1 ? "1 order is" : "\(orders.count) orders are"
        var content = MailContent(
            company: company, tone: .warning, title: "\(count) kept back from the ERP",
            text: "Each is released by itself once its cause is gone. Until then it is not in any order report.",
            facts: [], advice: "Correct the cause: map the SKU, mend the order in the shop, or release the order.",
            command: """
                stockbridge orders list --held
                stockbridge mapping set SHOP SKU CODE
                stockbridge orders release SHOP ORDER --reason "..."
                """)
        content.noticesTitle = "Held orders"
        content.notices = orders.prefix(named).map { order in
            .init(name: "\(order.shop) \(order.number)", value: order.reasons.joined(separator: " "))
        }
        if orders.count > named {
            content.notices.append(.init(name: "and \(orders.count - named) more", value: "See the list."))
        }
        return content
    }

    func report(_ report: ReportReady) -> MailContent {
        let late = report.completeUpTo.map { $0 < report.dueAt } ?? true
        let again = report.isRepetition ? "again " : ""
        return MailContent(
            company: company, tone: late || report.held > 0 ? .warning : .good,
            title: "Order report \(report.batchID) was sent \(again)to the ERP",
            text: late
                ? "The shop's orders could not be collected up to the hour; what came later stands in the next report."
                : "All orders up to the hour are in it, but for those that are kept back.",
            facts: [
                .init(name: "Shop", value: report.shop.rawValue),
                .init(name: "Orders", value: "\(report.orders) with \(report.lines) lines"),
                .init(name: "Changes", value: "\(report.changes)"), .init(name: "Kept back", value: "\(report.held)"),
                .init(name: "Total", value: sums(report.totals)), .init(name: "Sent", value: text(report.sentAt)),
                .init(name: "Complete up to", value: report.completeUpTo.map(text) ?? "never collected"),
                .init(name: "File", value: report.fileName),
            ],
            advice: report.held > 0 ? "Look at the orders that are kept back." : late ? "Look at the shop." : "",
            command: report.held > 0 ? "stockbridge orders list --held" : nil)
    }

    func reconciliation(_ report: ReconciliationCompleted) -> MailContent {
        let differences = report.differences == 1 ? "1 difference" : "\(report.differences) differences"
        let problems = report.shops.compactMap { shop in shop.problem.map { (shop.shop, $0) } }
        var content = MailContent(
            company: company,
            tone: !report.isComplete ? .critical : report.differences > 0 ? .warning : .good,
            title: "Stock \(report.day): \(report.differences == 0 ? "no difference" : differences)"
                + (report.isComplete ? "" : ", not complete") + (report.isUpdate ? " (update)" : ""),
            text: introduction(report),
            facts: report.sources.map { .init(name: "Stock file", value: $0) }
                + problems.map { .init(name: "\($0.0)", value: $0.1) },
            advice: "")
        content.hasPicture = report.pictureID != nil
        content.tables = [stockTable(report), orderTable(report)].filter { !$0.rows.isEmpty }
        content.noticesTitle = report.findings.count < report.differences ? "The most important" : "What is different"
        content.notices = report.findings.map(notice)
        return content
    }

    private func introduction(_ report: ReconciliationCompleted) -> String {
        if report.isUpdate { return "This completes the mail of this morning. The workbook has every listing." }
        if report.isComplete {
            return "All shops were read back and compared with what they should show. The workbook has every listing."
        }
        return """
            Not every shop could be compared in time; what is missing is named below, and one more mail follows when \
            it is there. The workbook has what there is.
            """
    }

    private func stockTable(_ report: ReconciliationCompleted) -> MailContent.Table {
        .init(
            title: "Stock", columns: ["Shop", "Listings", "Right", "On its way", "Different"],
            rows: report.shops.map { shop in
                guard shop.compared > 0 || shop.isComplete else {
                    return [shop.shop.rawValue, "not read", "", "", ""]
                }
                let right = shop.categories["ok"] ?? 0
                let moving = shop.categories["in_flight"] ?? 0
                return [
                    shop.shop.rawValue, number(shop.compared), number(right), number(moving),
                    number(shop.compared - right - moving),
                ]
            })
    }

    private func orderTable(_ report: ReconciliationCompleted) -> MailContent.Table {
        .init(
            title: "Orders", columns: ["Shop", "In shop", "Here", "In ERP", "Kept back", "Value"],
            rows: report.shops.compactMap { shop in
                shop.orders.map { orders in
                    [
                        shop.shop.rawValue, orders.inShop.map(number) ?? "?", number(orders.inHub),
                        number(orders.inERP), number(orders.held), sums(orders.value),
                    ]
                }
            })
    }

    private func notice(_ finding: ReconciliationCompleted.Finding) -> MailContent.Fact {
        let kind = finding.category.replacing("_", with: " ")
        let levels = [
            finding.expected.map { "should show \(number($0))" }, finding.observed.map { "shows \(number($0))" },
        ].compactMap { $0 }
        let age = finding.ageDays > 0 ? ["for \(finding.ageDays) \(finding.ageDays == 1 ? "day" : "days")"] : []
        return .init(
            name: "\(finding.shop) \(finding.sku) \(finding.title)",
            value: ([kind] + levels + age).joined(separator: ", ") + ". " + finding.action)
    }

    /// `410,000 VND`, one amount for each currency.
    func sums(_ totals: [String: Amount]) -> String {
        guard !totals.isEmpty else { return "0" }
        return totals.sorted { $0.key < $1.key }.map { "\(grouped($0.value.description)) \($0.key)" }
            .joined(separator: ", ")
    }

    func number(_ value: Int) -> String { grouped(String(value)) }

    /// A plain decimal with its thousands apart.
    private func grouped(_ text: String) -> String {
        let parts = text.split(separator: ".", maxSplits: 1)
        let whole = parts.first.map(String.init) ?? text
        let digits = whole.drop { $0 == "-" }
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { result.append(",") }
            result.append(digit)
        }
        return (whole.hasPrefix("-") ? "-" : "") + result + (parts.count == 2 ? ".\(parts[1])" : "")
    }
}
