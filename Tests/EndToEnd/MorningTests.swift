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
            let next = try await secondDay(stack)
            try await refusedMail(stack, next)
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
        let unmapped = try await stack.stockbridge("mapping", "list", "--shop", "danang", "--unmapped").output
        #expect(unmapped.contains("QUA-TET-2027"), "a SKU that nobody knows is named")
        try await fileIsAccountedFor(stack)
    }

    private func fileIsAccountedFor(_ stack: ProcessStack) async throws {
        let accounts = stack.morning.accounts
        let row = try #require(
            try await stack.rows(
                "SELECT rows_read, rows_aggregated, rows_set_aside, rows_merged FROM stock.snapshots "
                    + "WHERE state = 'live'"
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

    private func secondDay(_ stack: ProcessStack) async throws -> Morning {
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
        return next
    }

    /// The mail server refuses for a while: the mail waits, the reason can be read, and it arrives afterwards.
    private func refusedMail(_ stack: ProcessStack, _ morning: Morning) async throws {
        try "451 4.7.1 greylisted, come back later\n".write(to: stack.mailControl, atomically: true, encoding: .utf8)
        let broken = try await stack.brokenFile(of: morning)
        try stack.deliver(try Data(contentsOf: broken), as: broken.lastPathComponent)
        let answer = try await stack.stockbridge("run", "stock", "--wait", "120", expecting: [0, 3])
        #expect(answer.output.contains("is held"))
        try await stack.wait(for: "the mail server's answer to be known") {
            let mails = try await stack.status().mails
            return mails.unsent > 0 && mails.last_problem?.contains("451") == true
        }
        #expect(try await stack.mails().allSatisfy { !$0.isSent })
        try FileManager.default.removeItem(at: stack.mailControl)
        _ = try await stack.mail(saying: "Stock of erp is held: please decide")
        let id = try await stack.texts("SELECT id::text FROM stock.snapshots WHERE state = 'held'")
        try await stack.stockbridge("stock", "reject", try #require(id.first), "--reason", "most of it is gone")
        #expect(stack.wrongShelves(morning) == [])
    }

    private func wait(untilNothingIsLeftIn stack: ProcessStack) async throws {
        try await stack.wait(for: "empty queues and outboxes") {
            let unpublished = try await stack.unpublished()
            let waiting = try await stack.waitingMessages()
            return unpublished == 0 && waiting.isEmpty
        }
    }
}
