import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import Testing

extension BadInputTests {
    /// Shops that answer wrongly, each beside four that go on; nested so that one system serves both. One after the
    /// other, because two of them take turns with the same shop.
    @Suite("Shops that do not answer as they should", .serialized)
    struct ShopTests {
        private static let batch = "/wp-json/wc/v3/products/batch"

        @Test("401: pushing to that shop waits, a person is told what to check, and all is pushed once the key works")
        func unauthorized() async throws {
            let input = try BadInput("refused")
            try input.shop.inject(Fault(.status, method: "POST", path: Self.batch, status: 401))
            try input.deliver(input.text(units(100)), at: "0545")
            _ = try await input.run()
            let mail = try await input.stack.mail(saying: "Shop saigon refuses our credentials")
            #expect(mail.text.contains("the shop does not accept our credentials (401"))
            #expect(mail.text.contains("Check the key, the secret"))
            #expect(try input.shelves() == Array(repeating: 1, count: BadInputSources.skus))
            try input.shop.clearFaults()
            // 80 % of what is left when two are kept back.
            try await input.shows(Array(repeating: 78, count: BadInputSources.skus))
            _ = try await input.stack.mail(saying: "Over: Shop saigon refuses our credentials")
        }

        @Test("500: after several in a row the shop is left alone, a person is told, and it resumes by itself")
        func outage() async throws {
            let input = try BadInput("outage")
            try input.shop.inject(Fault(.status, status: 500))
            // That shop sells what lies in the other warehouse, of which three are kept back.
            try input.deliver(input.text(units(103)).replacing(";HN;", with: ";HCM;"), at: "0545")
            _ = try await input.run()
            let mail = try await input.stack.mail(saying: "Shop danang is out")
            #expect(mail.text.contains("the shop answers with status 500"))
            #expect(mail.text.contains("Look at the shop's server"))
            let calls = try input.shop.statistics.requests
            #expect(calls < 30, "a shop that is out is not hammered")
            try input.shop.clearFaults()
            try await input.shows(Array(repeating: 100, count: BadInputSources.skus))
            _ = try await input.stack.mail(saying: "Over: Shop danang is out")
        }

        @Test("429: everybody leaves the shop alone for as long as it asks, and all is pushed afterwards")
        func throttled() async throws {
            let input = try BadInput("throttled")
            try input.shop.inject(
                Fault(.status, method: "POST", path: Self.batch, times: 1, status: 429, retryAfter: "4"))
            try input.deliver(input.text(units(10)), at: "0545")
            _ = try await input.run()
            try await input.stack.wait(for: "the pause to be kept by all") {
                try await input.stack.number(
                    """
                    SELECT count(*) FROM shared.rate_limiters
                    WHERE account = 'shop hanoi' AND blocked_until > clock_timestamp()
                    """) == 1
            }
            try await input.shows(Array(repeating: 10, count: BadInputSources.skus))
            let answers = try await input.stack.texts(
                "SELECT DISTINCT answer FROM publishing.pushes WHERE shop = 'hanoi' AND answer IS NOT NULL")
            #expect(answers.contains { $0.contains("the shop says we call too often (429, asks to wait 4 s)") })
        }

        @Test("HTML instead of JSON: nothing is believed, the reason is kept, and it is tried again")
        func page() async throws {
            let input = try BadInput("html")
            try input.shop.inject(Fault(.html, method: "POST", path: Self.batch, times: 2))
            try input.deliver(input.text(units(100)), at: "0545")
            _ = try await input.run()
            try await input.shows(Array(repeating: 78, count: BadInputSources.skus))
            let answers = try await input.stack.texts(
                "SELECT DISTINCT answer FROM publishing.pushes WHERE shop = 'saigon' AND answer IS NOT NULL")
            #expect(answers.contains { $0.contains("the answer is not what the platform speaks") })
            #expect(try input.shop.statistics.faults["html"] == 2)
        }

        @Test("No answer after the write: the stock is read back, and written again only where it is not right")
        func lostAnswer() async throws {
            let input = try BadInput("lost")
            try input.shop.inject(Fault(.lostAnswer, method: "POST", path: Self.batch, times: 1))
            try input.deliver(input.text(units(103)).replacing(";HN;", with: ";HCM;"), at: "0545")
            _ = try await input.run()
            try await input.shows(Array(repeating: 100, count: BadInputSources.skus))
            try await input.stack.wait(for: "the answer to be known") {
                try await input.stack.number(
                    "SELECT count(*) FROM publishing.shelves WHERE shop = 'danang' AND due") == 0
            }
            let ours = Set(BadInputSources.products(of: "lost").map { "\($0.id)" })
            let writes = try input.shop.journal.filter { ours.contains($0.id) && $0.source != .site }
            #expect(writes.count == BadInputSources.skus, "no shelf was written twice")
            let results = try await input.stack.texts(
                "SELECT DISTINCT answer FROM publishing.pushes WHERE shop = 'danang' AND answer IS NOT NULL")
            #expect(results.contains { $0.contains("it may have done what was asked") })
        }

        private func units(_ number: Int) -> [Int: String] {
            Dictionary(uniqueKeysWithValues: (1...BadInputSources.skus).map { ($0, "\(number)") })
        }
    }
}
