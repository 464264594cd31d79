import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import Testing

@Suite("A whole morning, with the executables as processes")
struct MorningTests {
    @Test("The file's stock reaches every shelf of five shops through two replicas, and the next day only what differs")
    func morning() async throws {
        try await ProcessStack.with(StackPlan(skus: 300)) { stack in
            try await stack.open(publishers: 2)
            try await firstDay(stack)
            try await explanation(stack)
            try await secondDay(stack)
            let audit = try await WriteAudit(stack)
            #expect(audit.findings == [])
            try await wait(untilNothingIsLeftIn: stack)
        }
    }

    private func firstDay(_ stack: ProcessStack) async throws {
        try stack.deliver(stack.morning)
        let answer = try await stack.stockbridge("run", "stock", "--wait", "120", "--json")
        #expect(answer.output.contains("is live"))
        try await stack.waitFor("runs")
        #expect(stack.wrongShelves(stack.morning) == [])
        let status = try await stack.status()
        #expect(status.shops.map(\.name) == ["hanoi", "saigon", "danang", "beauty", "wholesale"])
        for shop in status.shops {
            let expected = try #require(stack.morning.shops[shop.name])
            #expect(shop.listed == expected.listed)
            #expect(shop.sum == shop.listed, "the six counts of \(shop.name) add up")
            #expect(shop.unmapped == expected.unmapped.count)
            #expect(shop.deferred + shop.rejected + shop.failed == 0)
        }
        try await fileIsAccountedFor(stack)
    }

    private func fileIsAccountedFor(_ stack: ProcessStack) async throws {
        let accounts = stack.morning.accounts
        let row = try #require(
            try await stack.rows(
                "SELECT rows_read, rows_aggregated, rows_set_aside, rows_merged FROM stock.snapshots WHERE state = 'live'"
            ).first)
        #expect(try row.decode(at: 0, as: Int.self) == accounts.rows)
        #expect(try row.decode(at: 1, as: Int.self) == accounts.aggregated)
        #expect(try row.decode(at: 2, as: Int.self) == accounts.set_aside)
        #expect(try row.decode(at: 3, as: Int.self) == accounts.duplicates_merged)
        let lines = try await stack.texts("SELECT r.line::text FROM stock.set_aside_rows r ORDER BY r.line")
        #expect(lines == accounts.bad_rows.map { "\($0.line)" })
    }

    /// From the line of the file to the shop's answer.
    private func explanation(_ stack: ProcessStack) async throws {
        let row = try #require(
            try await stack.rows(
                """
                SELECT l.sku, s.line, d.wanted FROM publishing.listings l
                JOIN publishing.stock s ON s.sku = l.erp_code
                JOIN publishing.shelves d ON d.shop = l.shop AND d.shelf = l.shelf
                WHERE l.shop = 'hanoi' AND d.wanted > 0 AND d.sent = d.wanted AND s.line IS NOT NULL
                ORDER BY l.listing LIMIT 1
                """
            ).first)
        let (sku, line, wanted): (String, Int, Int) =
            (try row.decode(at: 0), try row.decode(at: 1), try row.decode(at: 2))
        let text = try await stack.stockbridge("explain", "stock", "hanoi", sku, expecting: [0, 3]).text
        #expect(text.contains(stack.morning.accounts.name), "the file's name")
        #expect(text.contains("line \(line)"), "the line in the file")
        #expect(text.contains("\(wanted)"), "the level")
        #expect(text.contains("confirmed"), "what the shop said")
    }

    private func secondDay(_ stack: ProcessStack) async throws {
        let next = try await stack.day(2)
        var before: [String: Int] = [:]
        for (shop, simulator) in stack.shops { before[shop] = simulator.journal.count }
        try stack.deliver(next)
        try await stack.stockbridge("run", "stock", "--wait", "120")
        try await stack.waitFor("runs")
        #expect(stack.wrongShelves(next) == [])
        for (shop, simulator) in stack.shops {
            let written = simulator.journal.dropFirst(before[shop] ?? 0).map(\.id)
            #expect(
                written.sorted() == next.differences(from: stack.morning, at: shop).sorted(),
                "exactly the shelves of \(shop) that differ are written, each once")
        }
    }

    private func wait(untilNothingIsLeftIn stack: ProcessStack) async throws {
        try await stack.wait(for: "empty queues and outboxes") {
            let unpublished = try await stack.unpublished()
            let waiting = try await stack.waitingMessages()
            return unpublished == 0 && waiting.isEmpty
        }
    }
}
