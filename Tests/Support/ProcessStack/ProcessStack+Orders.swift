public import Foundation
import PostgreSQL
public import ShopSimulators

extension ProcessStack {
    /// The simulator of a shop.
    public func shop(_ name: String) throws -> ShopSimulator {
        guard let shop = shops[name] else { throw ProcessStackProblem("No shop is called '\(name)' here.") }
        return shop
    }

    /// Units of the ERP that open orders of all shops take off, by the ERP's code. Within a day no line is reflected in
    /// a stock file, so every line counts that was not cancelled.
    ///
    /// - Parameter codes: What was mapped since the morning, by shop and item.
    public func openUnits(codes: [String: [String: String]] = [:]) -> [String: Decimal] {
        var open: [String: Decimal] = [:]
        for (shop, simulator) in shops {
            let facts = morning.shops[shop]
            for order in simulator.orders() where !order.cancelled && !order.deleted {
                for line in order.lines {
                    guard let code = codes[shop]?[line.item] ?? facts?.codes[line.item] else { continue }
                    open[code, default: 0] += Decimal(line.quantity * (facts?.packs?[line.item] ?? 1))
                }
            }
        }
        return open
    }

    /// What each mapped listing of a shop has to show, with all open orders taken off.
    public func levels(
        of shop: String, _ morning: Morning, codes: [String: [String: String]] = [:], open: [String: Decimal]
    ) -> [String: Int] {
        guard let facts = morning.shops[shop] else { return [:] }
        let (rules, all) = (ShopRules.of(shop), facts.codes.merging(codes[shop] ?? [:]) { _, new in new })
        return all.reduce(into: [:]) { levels, entry in
            let stock = (morning.stock[entry.value] ?? [:]).compactMapValues { Decimal(string: $0) }
            levels[entry.key] = rules.level(
                stock, open: open[entry.value] ?? 0, unitsPerPack: facts.packs?[entry.key] ?? 1)
        }
    }

    /// Shelves that do not show what they should once open orders are taken off, as sentences.
    ///
    /// - Parameters:
    ///   - codes: What was mapped since the morning, by shop and item.
    ///   - ignoring: Items that somebody has meddled with, as `shop item`.
    public func wrongShelvesWithOrders(
        _ morning: Morning, codes: [String: [String: String]] = [:], ignoring: Set<String> = []
    ) -> [String] {
        let open = openUnits(codes: codes)
        return shops.sorted { $0.key < $1.key }.flatMap { shop, simulator -> [String] in
            let (stock, expected) = (simulator.stock, levels(of: shop, morning, codes: codes, open: open))
            let wrong = expected.filter { stock[$0.key] != $0.value && !ignoring.contains("\(shop) \($0.key)") }
            return wrong.sorted { $0.key < $1.key }.map { item, level in
                let code = codes[shop]?[item] ?? morning.shops[shop]?.codes[item] ?? ""
                return "\(shop) \(item) shows \(stock[item].map { "\($0)" } ?? "nothing") instead of \(level) "
                    + "(\(open[code] ?? 0) of \(code) are open)"
            }
        }
    }

    /// Waits until every shelf shows what it should with open orders taken off.
    public func waitForShelves(
        _ morning: Morning, codes: [String: [String: String]] = [:], within limit: Duration = .seconds(120)
    ) async throws {
        do {
            try await wait(for: "the shelves", within: limit) {
                wrongShelvesWithOrders(morning, codes: codes).isEmpty
            }
        } catch {
            let wrong = wrongShelvesWithOrders(morning, codes: codes)
            guard !wrong.isEmpty else { return }
            throw ProcessStackProblem(
                "After \(limit) \(wrong.count) shelves are wrong: \(wrong.prefix(8).joined(separator: "; ")). "
                    + "The product says: \(try await unsettledShelves().prefix(8).joined(separator: "; ")).")
        }
    }

    /// What keeps shelves from being written, and open units that the product counts differently; as sentences.
    private func unsettledShelves() async throws -> [String] {
        var found = try await texts(
            """
            SELECT format('%s %s wants %s, expects %s, confirmed %s, due %s, deferral %s, failure %s, held %s', shop,
                shelf, wanted, expected_at_shop, confirmed_level, due, deferral, failure, held)
            FROM publishing.shelves WHERE due OR held IS NOT NULL OR wanted IS DISTINCT FROM expected_at_shop
            ORDER BY shop, shelf
            """)
        found += try await wronglyConfirmed()
        var counted: [String: Decimal] = [:]
        for row in try await rows(
            "SELECT erp_code, sum(quantity)::text FROM publishing.order_lines WHERE is_open GROUP BY erp_code")
        {
            counted[try row.decode(at: 0)] = Decimal(string: try row.decode(at: 1, as: String.self))
        }
        for (code, units) in openUnits().sorted(by: { $0.key < $1.key }) where counted[code] != units && units != 0 {
            found.append("\(counted[code] ?? 0) of \(code) are open, should be \(units)")
        }
        return found
    }

    /// Shelves at which the product believes another level than the shop shows, with what was written last.
    private func wronglyConfirmed() async throws -> [String] {
        try await rows("SELECT shop, shelf, expected_at_shop, wanted FROM publishing.shelves").compactMap { row in
            let name: String = try row.decode(at: 0)
            guard let shop = shops[name] else { return nil }
            let item = ShopRules.of(name).item(ofShelf: try row.decode(at: 1))
            let (believed, wanted) = (try row.decode(at: 2, as: Int?.self), try row.decode(at: 3, as: Int?.self))
            guard let shown = shop.stock[item] ?? shop.stock.first(where: { $0.key.hasSuffix("/\(item)") })?.value,
                shown != believed
            else { return nil }
            let last = shop.journal.filter { $0.id == item || $0.id.hasSuffix("/\(item)") }.suffix(8)
                .map { "\($0.source) \($0.before ?? -1) to \($0.after ?? -1)" }
            return "\(name) \(item) shows \(shown), believed \(believed ?? -1), wanted \(wanted ?? -1): \(last)"
        }
    }

    /// Waits until order-collector knows every order of every shop as it is now, by its ledger: so many, and nothing
    /// changed later than what it has read.
    public func waitForOrders(within limit: Duration = .seconds(90)) async throws {
        let counts = shops.mapValues { $0.orders().count }
        try await wait(for: "all orders to be known, of \(counts)", within: limit) {
            for (shop, count) in counts {
                let known = try await number(
                    """
                    SELECT (SELECT count(*) FROM orders.orders WHERE shop = $1)
                         + (SELECT count(*) FROM orders.unreadable WHERE shop = $1)
                    """, [.text(shop)])
                if known < count { return false }
            }
            return true
        }
    }

    /// Waits until every shop's report of a batch time has arrived at the ERP.
    ///
    /// - Parameter time: As in the batch's id, such as `20260105-1200`.
    public func waitForReports(_ time: String, within limit: Duration = .seconds(90)) async throws {
        let wanted = Set(shops.keys.map { "\($0)-\(time)" })
        try await wait(for: "the reports \(wanted.sorted())", within: limit) {
            Set(try arrivedMails().compactMap(\.batch)).isSuperset(of: wanted)
        }
    }
}
