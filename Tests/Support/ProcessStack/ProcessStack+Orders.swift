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
        var found: [String] = []
        for row in try await rows(
            "SELECT shop, shelf, expected_at_shop, wanted, known_from, known_to FROM publishing.shelves")
        {
            let (name, shelf): (String, String) = (try row.decode(at: 0), try row.decode(at: 1))
            guard let shop = shops[name] else { continue }
            let item = ShopRules.of(name).item(ofShelf: shelf)
            let (believed, wanted) = (try row.decode(at: 2, as: Int?.self), try row.decode(at: 3, as: Int?.self))
            guard let shown = shop.stock[item] ?? shop.stock.first(where: { $0.key.hasSuffix("/\(item)") })?.value,
                shown != believed
            else { continue }
            let last = shop.journal.filter { $0.id == item || $0.id.hasSuffix("/\(item)") }.suffix(8)
                .map { "\($0.source) \($0.before ?? -1) to \($0.after ?? -1) at \(Self.second($0.time))" }
            let known = try [4, 5].map { try row.decode(at: $0, as: Date?.self)?.timeIntervalSince1970 ?? 0 }
            let pushes = try await texts(
                """
                SELECT format('%s of %s at %s to %s: %s', result, level, extract(epoch FROM began_at) % 100000,
                    extract(epoch FROM ended_at) % 100000, coalesce(answer, '')) FROM publishing.pushes
                WHERE shop = $1 AND shelf = $2 ORDER BY began_at DESC LIMIT 6
                """, [.text(name), .text(shelf)])
            let lines = try await texts(
                """
                SELECT format('order %s at %s, %s.%s %s, taken %s', o.external_id,
                    extract(epoch FROM o.placed_at) % 100000, o.revision, o.state_version, o.cancellation, l.taken)
                FROM publishing.order_lines l JOIN publishing.orders o USING (shop, external_id)
                WHERE l.shop = $1 AND l.shelf = $2 ORDER BY o.placed_at DESC LIMIT 6
                """, [.text(name), .text(shelf)])
            let versions = try await texts(
                """
                SELECT format('%s: %s by %s %s at %s', version, wanted, cause_kind, cause_id,
                    extract(epoch FROM decided_at) % 100000) FROM publishing.shelf_versions
                WHERE shop = $1 AND shelf = $2 ORDER BY version DESC LIMIT 6
                """, [.text(name), .text(shelf)])
            let heard = try await texts(
                """
                SELECT format('%s.%s changed %s, learnt %s by %s', r.external_id, r.revision,
                    extract(epoch FROM r.updated_at) % 100000, extract(epoch FROM r.learnt_at) % 100000, r.via)
                FROM orders.revisions r JOIN publishing.order_lines l USING (shop, external_id)
                WHERE l.shop = $1 AND l.shelf = $2 ORDER BY r.learnt_at DESC LIMIT 6
                """, [.text(name), .text(shelf)])
            found.append(
                "\(name) \(item) shows \(shown), believed \(believed ?? -1), wanted \(wanted ?? -1): \(last); known "
                    + "\(known.map(Self.second)); pushes \(pushes); lines \(lines); versions "
                    + "\(versions); heard \(heard)")
        }
        return found
    }

    private static func second(_ time: Double) -> String {
        String(format: "%.2f", time.truncatingRemainder(dividingBy: 100_000))
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
