import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import Testing

@Suite("A whole business day, with the executables as processes", .timeLimit(.minutes(60)))
struct BusinessDayTests {
    @Test(
        "Orders of the night, the file at 06:00, sales, the reports at 12:00 and the reconciliation: to the last unit")
    func day() async throws {
        let plan = StackPlan(skus: 120, startsAt: "05:20", hasSchedules: true)
        try await ProcessStack.with(plan) { stack in
            try await stack.open(hasOrders: true)
            var day = BusinessDay(stack)
            try await day.night()
            try await day.stockFile()
            try await day.lastOne()
            try await day.morning()
            try await day.mapped()
            try await day.noon()
            try await day.afternoon()
            try await day.reconciliation()
            let audit = try await WriteAudit(stack)
            #expect(audit.findings == [])
            try await stack.wait(for: "empty queues and outboxes") {
                let (unpublished, waiting) = (try await stack.unpublished(), try await stack.waitingMessages())
                return unpublished == 0 && waiting.isEmpty
            }
        }
    }
}

/// The day, step by step.
struct BusinessDay {
    let stack: ProcessStack
    private let customers: Customers
    private var dice = Dice(seed: 7)
    /// What was mapped during the day, by shop and item.
    private var codes: [String: [String: String]] = [:]
    private var unmapped: OrderReport?
    private var wrongTotal: OrderReport?

    init(_ stack: ProcessStack) { (self.stack, customers) = (stack, Customers(stack)) }

    private var date: String { stack.clock.date.replacing("-", with: "") }

    private mutating func buyEverywhere(_ count: Int) throws {
        for shop in stack.shops.keys.sorted() { for _ in 0..<count { try customers.buy(at: shop, &dice) } }
    }

    /// Orders before there is any stock file; one is for a SKU that nobody knows, one has a note that would run.
    mutating func night() async throws {
        try buyEverywhere(3)
        try customers.buy(at: "hanoi", &dice) { $0.note = "=HYPERLINK(\"x\") Giao sau 18 giờ 🧴" }
        let listing = try #require(stack.morning.shops["danang"]?.unmapped.first { !$0.sku.isEmpty })
        unmapped = try stack.shop("danang").placeOrder([listing.listing: 1])
        try await stack.waitForOrders()
        let held = try await stack.stockbridge("orders", "list", "--held", expecting: [3]).output
        #expect(held.contains(listing.sku), "the SKU that holds it is named")
    }

    /// The file comes before six and is taken at six, by the schedule.
    func stockFile() async throws {
        try stack.deliver(stack.morning)
        #expect(try await stack.number("SELECT count(*) FROM stock.snapshots") == 0, "nothing is due yet")
        try await stack.clock.move(to: "06:00")
        try await stack.wait(for: "the file to be live") {
            try await stack.number("SELECT count(*) FROM stock.snapshots WHERE state = 'live'") == 1
        }
        try await stack.waitForShelves(stack.morning)
    }

    /// A shop sells its last ones of an article; the others show none of it.
    func lastOne() async throws {
        let (hanoi, saigon, beauty) = (try stack.shop("hanoi"), try stack.shop("saigon"), try stack.shop("beauty"))
        let code = stack.morning.stock.keys.sorted().first { code in
            guard let here = customers.item(code, at: "hanoi"), let there = customers.item(code, at: "saigon"),
                let third = customers.item(code, at: "beauty")
            else { return false }
            return (2...60).contains(hanoi.stock(of: here) ?? 0) && saigon.stock(of: there) ?? 0 > 0
                && beauty.stock(of: third) ?? 0 > 0
        }
        let found = try #require(code, "there is an article that all three shops sell")
        let item = try #require(customers.item(found, at: "hanoi"))
        try hanoi.placeOrder([item: hanoi.stock(of: item) ?? 0])
        let others = [
            (saigon, try #require(customers.item(found, at: "saigon"))),
            (beauty, try #require(customers.item(found, at: "beauty"))),
        ]
        try await stack.wait(for: "the others to show no \(found)", within: .seconds(20)) {
            others.allSatisfy { shop, item in shop.stock(of: item) == 0 }
        }
        try await stack.waitForShelves(stack.morning)
    }

    /// More orders; one is edited, one cancelled, one does not add up.
    mutating func morning() async throws {
        try await stack.clock.move(to: "09:00")
        try buyEverywhere(2)
        let edited = try customers.buy(at: "beauty", &dice)
        let line = try #require(edited.lines.first)
        try stack.shop("beauty").editOrder(
            edited.id, OrderEdit(lines: [.init(lineID: line.lineID, quantity: line.quantity + 2)]))
        let cancelled = try customers.buy(at: "saigon", &dice)
        try await stack.waitForOrders()
        try stack.shop("saigon").cancelOrder(cancelled.id)
        wrongTotal = try customers.buy(at: "wholesale", &dice) { $0.totalOffBy = "5000" }
        try await stack.waitForOrders()
        try await stack.waitForShelves(stack.morning)
    }

    /// Somebody says what the unknown SKU is: its order goes on by itself.
    mutating func mapped() async throws {
        let (listing, order) = (
            try #require(stack.morning.shops["danang"]?.unmapped.first { !$0.sku.isEmpty }), try #require(unmapped)
        )
        let code = try #require(
            customers.plenty.first { customers.item($0, at: "danang") == nil } ?? customers.plenty.last)
        codes["danang"] = [listing.listing: code]
        let file = stack.directory.appending(path: "later.csv")
        try "shop,shop_sku,listing,erp_code,units_per_pack\ndanang,\(listing.sku),,\(code),1\n"
            .write(to: file, atomically: true, encoding: .utf8)
        try await stack.stockbridge("mapping", "import", file.path(), "--yes")
        try await stack.wait(for: "the order to be let go") {
            try await stack.number(
                "SELECT count(*) FROM orders.orders WHERE shop = 'danang' AND external_id = $1 AND held_at IS NULL",
                [.text("\(order.id)")]) == 1
        }
        let story = try await stack.stockbridge("explain", "order", "danang", order.number, expecting: [0, 3]).output
        #expect(story.contains(listing.sku) && story.contains(code) && story.contains("unmapped"))
        try await stack.waitForShelves(stack.morning, codes: codes)
    }

    /// Five reports by the schedule, equal to the shops' orders.
    mutating func noon() async throws {
        try await stack.clock.move(to: "11:59")
        try buyEverywhere(1)
        try await stack.clock.move(to: "12:00")
        try await stack.waitForReports("\(date)-1200")
        let known = try ReportedOrders(stack)
        #expect(known.books.count == 5)
        #expect(known.duplicated == [])
        #expect(known.differences(from: stack, codes: codes) == [])
        let held = try #require(wrongTotal)
        #expect(known.held == ["wholesale:\(held.id)": "total_mismatch"])
        for (batch, book) in known.books {
            #expect(book.control("completeness")?.hasPrefix("Complete") == true, "\(batch) is complete")
        }
        try await stack.wait(for: "all to be recorded as sent") {
            try await stack.number("SELECT count(*) FROM erp.reports WHERE sent_at IS NOT NULL") == 5
        }
        let list = try await stack.stockbridge("report", "list").output
        for batch in known.books.keys { #expect(list.contains(batch)) }
        try await stack.stockbridge("report", "resend", "hanoi-\(date)-1200", "--wait", "60")
        try await stack.wait(for: "the repetition") {
            try stack.arrivedMails().filter { $0.batch == "hanoi-\(date)-1200" }.count == 2
        }
        try await stack.stockbridge(
            "orders", "release", "wholesale", held.number, "--reason", "the customer confirmed by phone", "--wait", "60"
        )
    }

    /// What was reported is cancelled, and something new comes: both stand in the next report.
    mutating func afternoon() async throws {
        let before = try ReportedOrders(stack)
        let reported = try #require(
            try stack.shop("saigon").orders().first { !$0.cancelled && before.orders["saigon:\($0.id)"] != nil })
        try stack.shop("saigon").cancelOrder(reported.id)
        try buyEverywhere(1)
        try await stack.clock.move(to: "13:00")
        try await stack.waitForOrders()
        try await stack.waitForShelves(stack.morning, codes: codes)
        try await stack.stockbridge("run", "report", "--wait", "120")
        try await stack.wait(for: "five more reports") {
            Set(try stack.arrivedMails().compactMap(\.batch)).count == 10
        }
        let known = try ReportedOrders(stack)
        #expect(known.duplicated == [])
        #expect(known.differences(from: stack, codes: codes) == [])
        #expect(known.held == [:], "the released order went out")
        #expect(known.orders["saigon:\(reported.id)"]?.isCancelled == true)
        let changes = known.books.values.flatMap { $0.rows("Changes") }.filter { $0["change"] == "cancelled" }
        #expect(Set(changes.compactMap { $0["order no."] }) == [reported.number])
    }

    /// Three things are changed behind the product's back: they are found, and nothing else.
    func reconciliation() async throws {
        let typed = customers.plenty.first { customers.item($0, at: "hanoi") != nil }
        let gone = try #require(
            stack.morning.shops["danang"]?.codes.keys.filter { !$0.contains("/") }.sorted().first)
        let planted = [
            ("hanoi", try #require(typed.flatMap { customers.item($0, at: "hanoi") }), 7),
            ("wholesale", try #require(customers.plenty.compactMap { customers.item($0, at: "wholesale") }.last), -3),
        ]
        for (shop, item, difference) in planted {
            let simulator = try stack.shop(shop)
            simulator.setStock(of: item, to: (simulator.stock(of: item) ?? 0) + difference)
        }
        try stack.shop("danang").remove(try #require(Int(gone)))
        try await stack.stockbridge("run", "reconciliation", "--wait", "120", expecting: [0, 3])
        let mail = try await workbookMail()
        let rows = try ReadWorkbook(
            try #require(mail.attachments.first { $0.fileName?.hasSuffix(".xlsx") == true }).content
        )
        .rows("Differences")
        let found = rows.map { row in
            let shop = row["Shop"] ?? ""
            return "\(shop) \(ShopRules.of(shop).item(ofKey: row["Listing"] ?? "")) \(row["Category"] ?? "")"
        }
        var expected = planted.map { "\($0.0) \(ShopRules.of($0.0).item(ofKey: $0.1)) edited_on_site" }
        expected.append("danang \(gone) missing_on_site")
        // A draft without a SKU was there all day.
        expected += (stack.morning.shops["danang"]?.unmapped ?? []).filter(\.sku.isEmpty).map {
            "danang \(ShopRules.of("danang").item(ofKey: $0.listing)) unmapped"
        }
        #expect(found.sorted() == expected.sorted())
        #expect(mail.parts.contains { $0.type == "image/png" && $0.content.starts(with: [0x89, 0x50, 0x4e, 0x47]) })
    }

    /// The newest mail to the General Manager.
    private func workbookMail() async throws -> ArrivedMail {
        var newest: ArrivedMail?
        try await stack.wait(for: "the mail to the General Manager about what was planted") {
            newest = try stack.arrivedMails().last { mail in
                mail.to.contains("general.manager@")
                    && mail.parts.contains { $0.type == "text/html" || $0.type == "text/plain" }
                    && mail.attachments.contains { $0.fileName?.hasSuffix(".xlsx") == true }
            }
            guard let file = newest?.attachments.first(where: { $0.fileName?.hasSuffix(".xlsx") == true }) else {
                return false
            }
            return try ReadWorkbook(file.content).rows("Differences").contains { $0["Category"] == "missing_on_site" }
        }
        return try #require(newest)
    }
}
