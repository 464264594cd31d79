import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import TestStack
import Testing

/// Runs one system for a suite, with all services: four shops, one of which has a clock that is two hours ahead.
struct BadOrderSystem: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let plan = StackPlan(
            skus: 80, shops: ["hanoi", "saigon", "danang", "beauty"], startsAt: "08:00",
            edits: [("request_timeout_seconds: 30", "request_timeout_seconds: 2")])
        try await ProcessStack.with(plan) { stack in
            try stack.shop("saigon").setClock(skewSeconds: 7_200)
            for product in BadOrder.products { try stack.shop("hanoi").add(product) }
            try await stack.open(hasOrders: true)
            try await BadOrder.mapProducts(in: stack)
            try stack.deliver(stack.morning)
            try await stack.stockbridge("run", "stock", "--wait", "120")
            try await stack.waitForShelves(stack.morning, codes: BadOrder.codes(in: stack))
            try await ProcessStack.$current.withValue(stack) { try await function() }
        }
    }
}

/// What the tests of bad orders share.
struct BadOrder {
    /// SKUs as an ERP's and a spreadsheet program's worst day have them.
    static let products = [
        CatalogueProduct(id: 900_001, sku: "=1+2", name: "@SUM(A1) +dầu gội 🧴👩‍👩‍👧‍👦", stock: 50),
        CatalogueProduct(
            id: 900_002, sku: "000123450", name: String(repeating: "Tên rất dài ", count: 3_000), stock: 50),
    ]

    let stack: ProcessStack
    let customers: Customers
    var dice: Dice

    init(seed: UInt64) throws {
        stack = try #require(ProcessStack.current)
        (customers, dice) = (Customers(stack), Dice(seed: seed))
    }

    static func codes(in stack: ProcessStack) -> [String: [String: String]] {
        let code = Customers(stack).plenty.last ?? ""
        return ["hanoi": Dictionary(uniqueKeysWithValues: products.map { ("\($0.id)", code) })]
    }

    static func mapProducts(in stack: ProcessStack) async throws {
        let code = try #require(Customers(stack).plenty.last)
        let rows = products.map { "hanoi,\($0.sku ?? ""),,\(code),1\n" }.joined()
        let file = stack.directory.appending(path: "strange.csv")
        try ("shop,shop_sku,listing,erp_code,units_per_pack\n" + rows)
            .write(to: file, atomically: true, encoding: .utf8)
        try await stack.stockbridge("mapping", "import", file.path(), "--yes")
    }

    mutating func buy(
        at shop: String, _ change: (inout OrderRequest) -> Void = { _ in }
    ) throws -> OrderReport { try customers.buy(at: shop, &dice, change) }

    /// What order-collector's ledger says about an order: its revision and why it is held.
    func known(_ shop: String, _ order: OrderReport) async throws -> (revision: Int, holds: [String])? {
        let rows = try await stack.rows(
            "SELECT revision, array_to_string(hold_codes, ' ') FROM orders.orders WHERE shop = $1 AND external_id = $2",
            [.text(shop), .text("\(order.id)")])
        return try rows.first.map {
            (try $0.decode(at: 0), try $0.decode(at: 1, as: String.self).split(separator: " ").map(String.init))
        }
    }

    /// Waits until an order is known and held for this alone; nil for not held.
    func expect(_ shop: String, _ order: OrderReport, heldFor reason: String?) async throws {
        try await stack.wait(for: "order \(order.number) of \(shop) to be held for \(reason ?? "nothing")") {
            try await known(shop, order)?.holds == (reason.map { [$0] } ?? [])
        }
    }

    /// Makes the reports now and types them in.
    func report() async throws -> ReportedOrders {
        // Two reports of one minute would be the same one.
        try await stack.clock.advance(minutes: 2)
        try await stack.waitForOrders()
        try await stack.stockbridge("run", "report", "--wait", "120")
        try await stack.wait(for: "the reports to be sent") {
            try await stack.number("SELECT count(*) FROM erp.reports WHERE sent_at IS NULL") == 0
        }
        return try ReportedOrders(stack)
    }
}

@Suite("Bad orders: held or handled with a reason, never dropped, and nobody else waits", .serialized, BadOrderSystem())
struct BadOrderTests {
    @Test(
        "No lines, a blank SKU, an unknown currency, a wrong total: each is held for it, its neighbour is not")
    func held() async throws {
        var bad = try BadOrder(seed: 1)
        for shop in ["hanoi", "beauty"] {
            var orders: [(OrderReport, String?)] = [(try bad.buy(at: shop), nil)]
            orders.append((try bad.buy(at: shop) { $0.noLines = true }, "no_lines"))
            orders.append((try bad.buy(at: shop) { $0.blankSKULine = true }, "blank_sku"))
            orders.append((try bad.buy(at: shop) { $0.currency = "XQZ" }, "unknown_currency"))
            orders.append((try bad.buy(at: shop) { $0.totalOffBy = "7000" }, "total_mismatch"))
            orders.append((try bad.buy(at: shop), nil))
            for (order, reason) in orders { try await bad.expect(shop, order, heldFor: reason) }
        }
        let list = try await bad.stack.stockbridge("orders", "list", "--held", "--limit", "100", expecting: [3]).output
        for shop in ["hanoi", "beauty"] { #expect(list.contains(shop)) }
    }

    @Test("Edited while its page is read: the ledger has what the shop has")
    func editedWhileRead() async throws {
        var bad = try BadOrder(seed: 2)
        let shop = try bad.stack.shop("hanoi")
        shop.inject(Fault(.editWhileListing, times: 3))
        for _ in 0..<5 { _ = try bad.buy(at: "hanoi") }
        try await bad.stack.stockbridge("run", "orders", "--shop", "hanoi", "--wait", "60")
        shop.clearFaults()
        try await bad.stack.waitForOrders()
    }

    @Test(
        "A webhook twenty times at once is one order, a forged one nothing, and one that overtakes loses none"
    )
    func webhooks() async throws {
        var bad = try BadOrder(seed: 3)
        for name in ["hanoi", "beauty"] {
            let shop = try bad.stack.shop(name)
            try await bad.stack.wait(for: "\(name) to have subscriptions") { !shop.subscriptions.isEmpty }
            shop.inject(Fault(.webhookDuplicate, times: 2, copies: 20))
            let twenty = try bad.buy(at: name)
            try await bad.expect(name, twenty, heldFor: nil)
            try await bad.stack.wait(for: "all twenty to be answered") {
                shop.deliveries.contains { $0.order == twenty.id && $0.statuses.count >= 20 }
            }
            #expect(try await bad.known(name, twenty)?.revision == 1)
            shop.clearFaults()
            #expect(shop.forgeWebhook(order: twenty.id))
            try await bad.stack.wait(for: "the forged one to be refused") {
                shop.deliveries.contains { $0.fault == "webhook_forged" && $0.statuses.contains(401) }
            }
            shop.inject(Fault(.webhookOutOfOrder, times: 1))
            let late = try bad.buy(at: name) { ($0.paid, $0.paymentMethod) = (false, "bacs") }
            try shop.payOrder(late.id)
            try await bad.expect(name, late, heldFor: nil)
            shop.clearFaults()
        }
    }

    @Test("A shop that turned its webhook off is noticed, its orders come all the same, and it is turned on again")
    func disabledSubscription() async throws {
        var bad = try BadOrder(seed: 4)
        let shop = try bad.stack.shop("danang")
        try await bad.stack.wait(for: "danang to have subscriptions") { !shop.subscriptions.isEmpty }
        try await bad.stack.running("order-collector").stop()
        for _ in 0..<6 { _ = try bad.buy(at: "danang") }
        try await bad.stack.wait(for: "the shop to give up") { shop.subscriptions.contains { $0.status == "disabled" } }
        try await bad.stack.start("order-collector")
        // They are looked at once an hour; a look of the last seconds would have been another replica's.
        try await bad.stack.clock.advance(minutes: 61)
        try await bad.stack.wait(for: "the webhooks to be turned on again") {
            !shop.subscriptions.isEmpty && shop.subscriptions.allSatisfy { $0.status == "active" }
        }
        try await bad.stack.waitForOrders()
    }

    @Test("A SKU that begins with =, digits only, an emoji, 32,767 characters: the report has them as they are")
    func texts() async throws {
        var bad = try BadOrder(seed: 5)
        let note = String(repeating: "đ", count: 32_767)
        let order = try bad.stack.shop("hanoi").placeOrder(["900001": 1, "900002": 2])
        let long = try bad.buy(at: "hanoi") { $0.note = note }
        let formula = try bad.buy(at: "hanoi") { $0.note = "=cmd|' /C calc'!A0 🎁" }
        let known = try await bad.report()
        let rows = known.books.values.flatMap { $0.rows("Lines") }
        #expect(
            Set(rows.filter { $0["order no."] == order.number }.compactMap { $0["shop SKU"] }) == ["=1+2", "000123450"])
        #expect(rows.first { $0["shop SKU"] == "=1+2" }?["name in full"] == BadOrder.products[0].name)
        #expect(rows.contains { $0["order no."] == long.number && $0["note"] == note })
        #expect(rows.contains { $0["order no."] == formula.number && $0["note"] == "=cmd|' /C calc'!A0 🎁" })
    }

    @Test("Cancelled between collecting and sending: it does not go out")
    func cancelledInBetween() async throws {
        var bad = try BadOrder(seed: 6)
        let order = try bad.buy(at: "beauty")
        let neighbour = try bad.buy(at: "beauty")
        try await bad.stack.waitForOrders()
        try bad.stack.shop("beauty").cancelOrder(order.id)
        let known = try await bad.report()
        #expect(known.orders["beauty:\(order.id)"] == nil)
        #expect(known.orders["beauty:\(neighbour.id)"] != nil)
    }

    @Test("fault 13: a report whose shop cannot be read says so, and lacks nothing later")
    func deadShop() async throws {
        var bad = try BadOrder(seed: 7)
        let (stack, shop) = (bad.stack, try bad.stack.shop("beauty"))
        shop.inject(Fault(.status, status: 503))
        let unseen = try bad.buy(at: "beauty")
        try await stack.clock.move(to: "11:00")
        try await stack.stockbridge("run", "report", "--shop", "beauty", "--wait", "0", expecting: [0, 3])
        try await stack.wait(for: "the report to wait for its shop") {
            try await stack.number("SELECT count(*) FROM erp.reports WHERE state = 'collecting'") == 1
        }
        try await stack.clock.move(to: "11:20")
        try await stack.wait(for: "the report to go out as it is") {
            try await stack.number("SELECT count(*) FROM erp.reports WHERE sent_at IS NULL") == 0
        }
        let newest = try #require(try stack.arrivedMails().compactMap(\.batch).filter { $0.hasPrefix("beauty") }.max())
        let incomplete = try ReportedOrders(stack)
        #expect(incomplete.books[newest]?.control("completeness")?.contains("NOT COMPLETE") == true)
        #expect(incomplete.orders["beauty:\(unseen.id)"] == nil)
        shop.clearFaults()
        try await stack.clock.move(to: "11:40")
        let later = try await bad.report()
        #expect(later.orders["beauty:\(unseen.id)"] != nil)
    }

    @Test("A shop whose clock is two hours off, and all the others: each order is reported or held, to the last unit")
    func everything() async throws {
        var bad = try BadOrder(seed: 8)
        for _ in 0..<3 { _ = try bad.buy(at: "saigon") }
        try await bad.stack.clock.move(to: "12:30")
        let known = try await bad.report()
        #expect(known.duplicated == [])
        #expect(known.differences(from: bad.stack, codes: BadOrder.codes(in: bad.stack)) == [])
        #expect(known.held.count == 8, "what is held is what was bad")
        #expect(known.orders.keys.contains { $0.hasPrefix("saigon:") })
        for (batch, book) in known.books where batch.hasPrefix("saigon") {
            #expect(book.control("completeness")?.hasPrefix("Complete") == true, "\(batch) is complete")
        }
        try await bad.stack.waitForShelves(bad.stack.morning, codes: BadOrder.codes(in: bad.stack))
        #expect(try await WriteAudit(bad.stack).findings == [])
    }
}
