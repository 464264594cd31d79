import Foundation
import Testing

@testable import Stockbridge

/// A status in which all is well, at 2026-11-21 23:10:00 UTC.
enum SampleStatus {
    static let now = Date(timeIntervalSince1970: 1_795_302_600)
    static let services = ["notifier", "stock-ingestor", "stock-publisher"]
    static let wording = Wording(timeZone: TimeZone(identifier: "Asia/Ho_Chi_Minh") ?? .gmt)

    static func shop(_ name: String) -> StatusReport.Shop {
        var shop = StatusReport.Shop(name: name, platform: "woocommerce")
        shop.shadow = false
        shop.counts = .init(listed: 19_990, confirmed: 14_990, unchanged: 5_000)
        shop.lastRun = .init(
            cause: "snapshot", beganAt: now.addingTimeInterval(-100), endedAt: now.addingTimeInterval(-68), seconds: 32)
        shop.catalogueReadAt = now.addingTimeInterval(-3_600)
        return shop
    }

    static func good() -> StatusReport {
        var status = StatusReport(company: "Hoa Sen Care", at: now)
        status.shops = ["hanoi", "saigon"].map(shop)
        status.sources = [
            .init(
                name: "erp", liveSnapshot: UUID(), liveFile: "stock-20261122-0545.csv", sequence: 3,
                asOf: now.addingTimeInterval(-900), receivedAt: now.addingTimeInterval(-100), skus: 20_000)
        ]
        status.schedules = [
            .init(
                service: "stock-ingestor", name: "pick up erp", expression: "0 6 * * *", timeZone: "Asia/Ho_Chi_Minh",
                lastDue: now.addingTimeInterval(-600), nextDue: now.addingTimeInterval(85_800))
        ]
        status.replicas = services.map {
            .init(
                service: $0, host: "h", process: 1, startedAt: now.addingTimeInterval(-9_000), heartbeatAt: now,
                alive: true)
        }
        status.outboxes = services.map { .init(service: $0, waiting: 0) }
        return status
    }
}

@Suite("What of a status needs attention")
struct StatusAttentionTests {
    private func attention(_ change: (inout StatusReport) -> Void) -> [StatusReport.Attention] {
        var status = SampleStatus.good()
        change(&status)
        return StatusAttention.of(status, services: SampleStatus.services)
    }

    @Test("Nothing does when all is well")
    func good() { #expect(attention { _ in } == []) }

    @Test("A service without a living replica does")
    func silence() {
        #expect(attention { $0.replicas[2].alive = false }.map(\.what) == ["No replica of stock-publisher is alive."])
        #expect(attention { $0.replicas = [] }.count == 3)
    }

    @Test("A held snapshot is told with its reason and the command to decide")
    func held() throws {
        let id = try #require(UUID(uuidString: "4f1c2d3e-0000-0000-0000-000000000000"))
        let found = attention {
            $0.held = [
                .init(
                    id: id, source: "erp", file: "stock.csv", asOf: $0.at, receivedAt: $0.at,
                    reasons: ["60 % of SKUs would go to zero."])
            ]
        }
        #expect(found.map(\.what) == ["stock.csv of source erp is held: 60 % of SKUs would go to zero."])
        #expect(found.map(\.whatToDo) == ["stockbridge stock show 4f1c2d3e, then accept or reject it"])
    }

    @Test("A shop in shadow, one never read and one that nobody has seen are told apart")
    func shops() {
        #expect(attention { $0.shops[0].shadow = true }.first?.what.contains("in shadow") == true)
        #expect(attention { $0.shops[0].catalogueReadAt = nil }.first?.what.contains("never read") == true)
        #expect(attention { $0.shops[0].known = false }.first?.what.contains("has not seen it yet") == true)
        #expect(attention { $0.shops[0].catalogueProblem = "401" }.first?.what.contains("could not be read") == true)
    }

    @Test("Each count of a run that a person can do something about is told")
    func counts() {
        let found = attention {
            $0.shops[0].counts = .init(listed: 10, unchanged: 6, deferred: 1, unmapped: 1, rejected: 1, failed: 1)
        }
        #expect(found.count == 4)
        #expect(found.first?.what == "1 listing of hanoi has no ERP code.")
    }

    @Test("Deferred listings are no news while a run is open or the shop is in shadow")
    func deferred() {
        let counts = StatusReport.Counts(listed: 1, deferred: 1)
        #expect(attention { $0.shops[0].counts = counts }.count == 1)
        let open = attention {
            $0.shops[0].counts = counts
            $0.shops[0].openRun = .init(cause: "command", beganAt: $0.at, deadlineAt: $0.at + 1_800, due: 1)
        }
        #expect(open == [])
    }

    @Test("A run beyond its deadline is told")
    func overdueRun() {
        let found = attention {
            $0.shops[0].openRun = .init(cause: "command", beganAt: $0.at - 3_600, deadlineAt: $0.at - 1, due: 1)
        }
        #expect(found.map(\.what) == ["The run of hanoi is open beyond its deadline."])
    }

    @Test("Breakers, alerts, late schedules, lagging outboxes, unsent mails and unanswered commands are told")
    func theRest() {
        #expect(attention { $0.breakers = [.init(account: "shop hanoi", failures: 5, openedAt: $0.at)] }.count == 1)
        #expect(attention { $0.breakers = [.init(account: "shop hanoi", failures: 2)] } == [])
        #expect(attention { $0.schedules[0].nextDue = $0.at - 91 }.count == 1)
        #expect(attention { $0.schedules[0].nextDue = $0.at - 60 } == [])
        #expect(attention { $0.outboxes[0] = .init(service: "notifier", waiting: 3, oldestAt: $0.at - 61) }.count == 1)
        #expect(attention { $0.outboxes[0] = .init(service: "notifier", waiting: 3, oldestAt: $0.at - 5) } == [])
        #expect(attention { $0.mails = .init(unsent: 1, oldestAt: $0.at - 301, lastProblem: "550") }.count == 1)
        #expect(attention { $0.unansweredCommands = 2 }.first?.what == "2 commands of operators wait for an answer.")
    }
}

@Suite("The status as text and as JSON")
struct StatusTextTests {
    private func text(_ status: StatusReport) -> String {
        StatusText(status: status, wording: SampleStatus.wording, style: .plain).text
    }

    @Test("The six counts stand in a table, and no line is wider than 100 columns")
    func table() {
        var status = SampleStatus.good()
        status.shops[1].name = "a-shop-with-a-long-name"
        status.shops[1].counts = .init(
            listed: 199_999, confirmed: 33_333, unchanged: 33_333, deferred: 33_333, unmapped: 33_333, rejected: 33_333,
            failed: 33_334)
        status.attention = StatusAttention.of(status, services: SampleStatus.services)
        let lines = text(status).split(separator: "\n")
        #expect(lines.contains { $0.contains("hanoi") && $0.contains("14,990") && $0.contains("32 s") })
        #expect(lines.allSatisfy { $0.count <= 100 }, "\(lines.filter { $0.count > 100 })")
    }

    @Test("Times are by the company's clock")
    func times() { #expect(text(SampleStatus.good()).hasPrefix("Hoa Sen Care, 22 Nov 06:10:00 (Asia/Ho_Chi_Minh)")) }

    @Test("An open run is told with what is still due")
    func openRun() {
        var status = SampleStatus.good()
        status.shops[0].openRun = .init(
            cause: "snapshot", beganAt: status.at - 5, deadlineAt: status.at + 1_795, due: 1_234)
        #expect(
            text(status).contains(
                "hanoi: a run is open since 06:09:55, 1,234 shelves still due, ends at the latest 06:39:55"))
    }

    @Test("All well is said as such")
    func nothing() { #expect(text(SampleStatus.good()).hasSuffix("Nothing needs attention.")) }

    @Test("JSON has a list of shops, each with its name, listed and the six counts that add up to it")
    func json() throws {
        let text = try JSONText.of(SampleStatus.good())
        let value = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let shops = try #require(value["shops"] as? [[String: Any]])
        #expect(shops.compactMap { $0["name"] as? String } == ["hanoi", "saigon"])
        for shop in shops {
            let six = ["confirmed", "unchanged", "deferred", "unmapped", "rejected", "failed"]
            #expect(six.compactMap { shop[$0] as? Int }.reduce(0, +) == shop["listed"] as? Int)
        }
        #expect(value["at"] as? String == "2026-11-21T23:10:00Z")
    }
}

@Suite("What status --wait-for waits for")
struct GoalProgressTests {
    private func shop(_ name: String, due: Int? = nil, read: Bool = true, pending: Bool = false) -> GoalProgress.Shop {
        .init(name: name, known: true, catalogueRead: read, remapPending: pending, due: due)
    }

    @Test("Runs are done when none is open and no snapshot is on its way")
    func runs() {
        #expect(GoalProgress(shops: [shop("a"), shop("b")], snapshotsOnTheWay: 0).missing(for: .runs) == nil)
        #expect(GoalProgress(shops: [shop("a")], snapshotsOnTheWay: 1).missing(for: .runs) != nil)
        let open = GoalProgress(shops: [shop("a", due: 1_200), shop("b")], snapshotsOnTheWay: 0)
        #expect(open.missing(for: .runs) == "runs: 1 of 2 shops done; shelves still due: a 1,200")
    }

    @Test("Catalogues are done when all are read and mapped")
    func catalogues() {
        #expect(GoalProgress(shops: [shop("a")], snapshotsOnTheWay: 0).missing(for: .catalogues) == nil)
        let open = GoalProgress(shops: [shop("a", read: false), shop("b", pending: true)], snapshotsOnTheWay: 0)
        #expect(
            open.missing(for: .catalogues) == "catalogues: 0 of 2 shops read and mapped; waiting for a, b")
    }
}
