import Foundation
import ProcessStack
import RabbitMQ
import ShopSimulators
import TestStack
import Testing

@Suite("Monitoring of a running system, by a real Prometheus", .timeLimit(.minutes(20)))
struct LiveMonitoringTests {
    /// Not what other tests do to the same broker: their queues, their memory alarms.
    private static func isOurs(_ alert: [String: String]) -> Bool {
        alert["queue"] == nil && !(alert["alertname"] ?? "").hasPrefix("Broker")
    }

    @Test(
        "A good day raises no false alert, a broken shop and an unreadable message do, and every name is a series")
    func live() async throws {
        try await ProcessStack.with(StackPlan(skus: 120, shops: ["hanoi", "saigon"])) { stack in
            try await stack.open(publishers: 2, hasOrders: true)
            var targets = try stack.metricsAddresses()
            targets["rabbitmq"] = [try stack.brokerMetricsAddress()]
            let prometheus = try Prometheus(
                targets: targets, directory: stack.directory, port: try freePort())
            defer { prometheus.stop() }
            try await goodDay(stack)
            try await healthy(prometheus, stack)
            try await trouble(prometheus, stack)
            try await everyName(prometheus, stack)
            #expect(try await prometheus.brokenRules() == [])
        }
    }

    private func goodDay(_ stack: ProcessStack) async throws {
        try stack.deliver(stack.morning)
        try await stack.stockbridge("run", "stock", "--wait", "120")
        try await stack.waitFor("runs")
        var dice = Dice(seed: 3)
        for shop in ["hanoi", "saigon"] { try Customers(stack).buy(at: shop, &dice) }
        try await stack.waitForOrders()
        try await stack.stockbridge("run", "report", "--wait", "120")
        try await stack.stockbridge("run", "reconciliation", "--wait", "120", expecting: [0, 3])
    }

    /// Every target answers, the figures are those of the system, and nothing is wrong.
    private func healthy(_ prometheus: Prometheus, _ stack: ProcessStack) async throws {
        try await stack.wait(for: "scrapes of nine targets that succeed") {
            // Nine processes and servers; the broker is asked at two places.
            (try? await prometheus.query("up == 1").count) == 9
        }
        let live = try await stack.number("SELECT skus FROM stock.snapshots WHERE state = 'live'")
        let confirmed = try await stack.number("SELECT sum(confirmed) FROM publishing.runs WHERE ended_at IS NOT NULL")
        for expression in [
            "max(stockbridge_stock_skus) == \(live)",
            "sum(max by (shop) (stockbridge_run_listings{outcome=\"confirmed\"})) <= \(confirmed)",
            "sum(stockbridge_levels_pushed_total{result=\"confirmed\"}) >= \(confirmed)",
            "sum(max by (service) (stockbridge_replicas{state=\"running\"})) == 7",
            "sum(max by (shop) (stockbridge_report_orders)) == 2",
            "sum(max by (shop) (stockbridge_orders_waiting)) == 0",
            "count(max by (shop) (stockbridge_feed_age_seconds) < 60) == 2", "min(stockbridge_ready) == 1",
            "max(stockbridge_skus_oversold) == 0", "sum(stockbridge_dead_letters_waiting) == 0",
        ] {
            try await stack.wait(for: expression, within: .seconds(60)) {
                try await !prometheus.query(expression).isEmpty
            }
        }
        // The morning of a test is one of January, long ago: the only thing that is wrong.
        // A look that came late makes something pending for a second; what lasts is an alert.
        try await stack.wait(for: "no alert but the one about the old stock", within: .seconds(60)) {
            try await prometheus.alerts().filter(Self.isOurs).map { $0["alertname"] } == ["StockOld"]
        }
    }

    /// A shop that is out, another that answers nonsense, and a message that nobody can read.
    private func trouble(_ prometheus: Prometheus, _ stack: ProcessStack) async throws {
        try stack.shop("hanoi").inject(Fault(.status, status: 503))
        try stack.shop("saigon").inject(Fault(.html, method: "POST", path: "/wp-json/wc/v3/products"))
        try stack.deliver(try await stack.day(2))
        try await stack.stockbridge("run", "stock", "--wait", "0", expecting: [0, 3])
        try await stack.publish([
            OutgoingMessage(
                exchange: "stock-publisher.work", routingKey: "stock-publisher",
                properties: MessageProperties(messageID: UUID().uuidString.lowercased()), body: Array("<html>".utf8))
        ])
        try await stack.wait(for: "the alert about the shop that is out") {
            try await prometheus.alerts().contains {
                $0["alertname"] == "BreakerOpen" && $0["account"] == "shop hanoi"
            }
        }
        for expression in [
            "max by (account) (stockbridge_breaker_open{account=\"shop saigon\"}) == 0",
            "max(stockbridge_dead_letters_waiting{service=\"stock-publisher\"}) >= 1",
            "sum(stockbridge_dead_letters_archived_total{service=\"stock-publisher\",result=\"new\"}) >= 1",
            "sum(messaging_client_consumed_messages_total{result=\"delayed\"}) >= 1",
        ] {
            try await stack.wait(for: expression) { try await !prometheus.query(expression).isEmpty }
        }
    }

    /// What an expression gives; asked again for a while if that is nothing, since a look may come late.
    private func shown(
        _ text: String, by prometheus: Prometheus, mayBeEmpty: Bool = false
    ) async throws -> [[String: String]] {
        var found = try await prometheus.query(text)
        for _ in 0..<20 where found.isEmpty && !mayBeEmpty {
            try await Task.sleep(for: .milliseconds(500))
            found = try await prometheus.query(text)
        }
        return found
    }

    /// What rules and dashboards name is shown by somebody; what services show is documented, and the other way round.
    private func everyName(_ prometheus: Prometheus, _ stack: ProcessStack) async throws {
        let expressions = try MonitoringFiles.expressions()
        #expect(expressions.count > 100)
        for (place, text) in expressions {
            let mayBeEmpty = place.hasPrefix("rule ") || text.contains(" > ") || text.contains("ALERTS")
            let found = try await shown(text, by: prometheus, mayBeEmpty: mayBeEmpty)
            #expect(mayBeEmpty || !found.isEmpty, "\(place) shows nothing: \(text)")
            var labels: Set<String> = []
            let parsed = PromQL(text)
            for selector in parsed.selectors where selector.metric != "ALERTS" {
                let series = try await shown(selector.metric + selector.matchers, by: prometheus)
                #expect(!series.isEmpty, "\(place): there is no \(selector.metric)\(selector.matchers)")
                let own = Set(series.flatMap(\.keys))
                #expect(selector.labels.isSubset(of: own), "\(place): \(selector.metric) has \(own.sorted())")
                labels.formUnion(own)
            }
            #expect(parsed.groupings.isSubset(of: labels) || labels.isEmpty, "\(place): there is \(labels.sorted())")
        }
        let shown = try await prometheus.query("count by (__name__) ({job!~\"rabbitmq.*\",job!=\"\"})")
            .compactMap { $0["__name__"] }.filter { $0 != "up" && !$0.hasPrefix("scrape_") && !$0.hasPrefix("ALERTS") }
        let documented = try MonitoringFiles.documented(below: "Metrics")
        #expect(Set(shown).subtracting(documented).sorted() == [], "docs/monitoring.md does not explain these")
        #expect(documented.subtracting(shown).sorted() == [], "docs/monitoring.md explains these; nobody shows them")
    }
}
