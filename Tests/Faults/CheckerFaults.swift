import Contracts
import Foundation
import ProcessStack
import RabbitMQ
import ShopSimulators
import Testing

/// A checker that finds nothing would let every fault pass, so it has to find what is planted.
@Suite("What the checker of faults finds", .serialized, .timeLimit(.minutes(20)), FaultSystem(publishers: 1))
struct CheckerFaults {
    @Test("Whatever is lost, there twice or overwritten by something older is named, and nothing else")
    func findsWhatIsPlanted() async throws {
        let round = try FaultRound.begin()
        let stack = round.stack
        try await round.settle()
        let calm = try await Checker(stack).verdict(round.morning)
        #expect(calm.summary == "0 lost, 0 duplicated, 0 stale")

        let planted = [
            "INSERT INTO orders.inbox (consumer, message_id, done) VALUES ('planted', gen_random_uuid(), false)",
            "DELETE FROM stock.snapshot_rows WHERE ctid = (SELECT min(ctid) FROM stock.snapshot_rows)",
            """
            DELETE FROM publishing.shelf_versions WHERE (shop, shelf) = (
                SELECT shop, shelf FROM publishing.shelf_versions WHERE wanted IS NOT NULL AND shop = 'hanoi'
                ORDER BY shelf LIMIT 1)
            """,
        ]
        for sql in planted { _ = try await stack.texts(sql) }
        let shelf = try #require(round.morning.shops["wholesale"]?.levels.min { $0.key < $1.key })
        try #require(stack.shops["wholesale"]).setStock(of: shelf.key, to: shelf.value + 1)
        let mail = "Subject: nobody wrote this\r\nMessage-ID: <planted@stockbridge.example>\r\n\r\n"
        try Data(mail.utf8).write(to: stack.mailDirectory.appending(path: "planted.eml"))
        try await stack.publish([
            OutgoingMessage(
                exchange: "", routingKey: "stock-ingestor.dead", properties: MessageProperties(messageID: "planted"),
                body: Array("{}".utf8))
        ])
        try await stack.wait(for: "the dead letter to be archived") {
            try await stack.number("SELECT count(*) FROM dead_letters.letters WHERE state = 'waiting'") == 1
        }

        let verdict = try await Checker(stack).verdict(round.morning)
        let lost = [
            "wholesale \(shelf.key) shows \(shelf.value + 1) instead of \(shelf.value)",
            "\(round.morning.accounts.name) has \(round.morning.accounts.aggregated - 1) rows kept",
            "1 dead letters instead of 0", "1 messages in orders.inbox were begun and not done",
        ]
        for finding in lost { #expect(verdict.lost.contains { $0.hasPrefix(finding) }, "\(finding): \(verdict.lost)") }
        #expect(verdict.lost.count == lost.count, "\(verdict.lost)")
        #expect(verdict.duplicated == ["1 mails arrived that nobody wrote"])
        #expect(verdict.stale.count == 1, "\(verdict.stale)")
    }
}
