import Foundation
import ProcessStack
import TestStack
import Testing

@Suite("Rules and dashboards, without a server")
struct MonitoringFileTests {
    /// Runs Prometheus' own checker from the folder of the files.
    private func promtool(_ arguments: String...) async throws -> (status: Int32, text: String) {
        let log = FileManager.default.temporaryDirectory.appending(path: "promtool-\(UUID().uuidString)").path()
        defer { for end in ["out", "err"] { try? FileManager.default.removeItem(atPath: "\(log).\(end)") } }
        let child = try ChildProcess(
            name: "promtool", executable: "/usr/bin/promtool", arguments: arguments,
            environment: ProcessInfo.processInfo.environment, log: log)
        let status = try await child.waitForExit(within: .seconds(300))
        return (status, child.output + child.errors)
    }

    @Test("Prometheus takes the configuration and the rules")
    func taken() async throws {
        let result = try await promtool("check", "config", MonitoringFiles.path("prometheus.yaml"))
        #expect(result.status == 0, "\(result.text)")
        #expect(result.text.contains("SUCCESS"))
    }

    @Test("Every alert fires and keeps quiet when it should")
    func ruleTests() async throws {
        let result = try await promtool("test", "rules", MonitoringFiles.path("rules.test.yaml"))
        #expect(result.status == 0, "\(result.text.prefix(4_000))")
    }

    @Test("For each alert there is a test in which it fires, and one in which it does not")
    func everyAlertIsTested() throws {
        let tests = try MonitoringFiles.ruleTests().tests.flatMap { $0.alert_rule_test ?? [] }
        let firing = Set(tests.filter { !($0.exp_alerts ?? []).isEmpty }.map(\.alertname))
        let silent = Set(tests.filter { ($0.exp_alerts ?? []).isEmpty }.map(\.alertname))
        let alerts = Set(try MonitoringFiles.rules().compactMap(\.alert))
        #expect(alerts.subtracting(firing) == [])
        #expect(alerts.subtracting(silent) == [])
        #expect(firing.union(silent).subtracting(alerts) == [])
    }

    @Test("Each alert has a severity and a sentence, and docs/monitoring.md says what to do about it")
    func alertsAreExplained() throws {
        let alerts = try MonitoringFiles.rules().filter { $0.alert != nil }
        for alert in alerts {
            #expect(["critical", "warning"].contains(alert.labels?["severity"]), "\(alert.alert ?? "")")
            #expect(alert.annotations?["summary"]?.hasSuffix(".") == true, "\(alert.alert ?? "")")
        }
        #expect(try MonitoringFiles.documented(below: "Alerts") == Set(alerts.compactMap(\.alert)))
    }

    @Test("Rules and dashboards name no metric of ours that docs/monitoring.md does not explain, and no SKU")
    func metricsAreExplained() throws {
        let known = try MonitoringFiles.documented(below: "Metrics")
        #expect(known.count > 40)
        for (place, text) in try MonitoringFiles.expressions() {
            let parsed = PromQL(text)
            #expect(!parsed.selectors.isEmpty, "\(place)")
            for selector in parsed.selectors where !Self.isForeign(selector.metric) {
                let isKnown = known.contains(selector.metric)
                #expect(isKnown, "\(place): \(selector.metric)")
            }
            let labels = parsed.groupings.union(parsed.selectors.flatMap(\.labels))
            #expect(labels.isDisjoint(with: ["sku", "order", "listing", "customer"]), "\(place)")
        }
    }

    /// Prometheus' own, the broker's, and what rules.yaml records.
    static func isForeign(_ metric: String) -> Bool {
        ["up", "ALERTS", "scrape_samples_scraped"].contains(metric) || metric.hasPrefix("rabbitmq_")
            || metric.contains(":")
    }

    @Test("Each dashboard has its own uid, its panels do not overlap, and all ask the provisioned data source")
    func dashboardsAreWhole() throws {
        let dashboards = try MonitoringFiles.dashboards()
        #expect(dashboards.count == 3)
        #expect(Set(dashboards.map(\.uid)).count == dashboards.count)
        let source = try #require(
            try MonitoringFiles.text("infra/monitoring/grafana/datasources.yaml").firstMatch(of: #/uid: (\w+)/#))
        let ours = MonitoringFiles.Dashboard.Source(type: "prometheus", uid: String(source.output.1))
        for dashboard in dashboards {
            var taken: Set<[Int]> = []
            #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
            for panel in dashboard.panels {
                let place = panel.gridPos
                #expect(place.x >= 0 && place.x + place.w <= 24, "\(panel.title)")
                for x in place.x..<(place.x + place.w) {
                    for y in place.y..<(place.y + place.h) {
                        #expect(taken.insert([x, y]).inserted, "\(dashboard.title): \(panel.title) lies over another")
                    }
                }
                guard panel.type != "row" else { continue }
                let targets = try #require(panel.targets)
                #expect(!targets.isEmpty && targets.allSatisfy { $0.datasource == ours }, "\(panel.title)")
                #expect(Set(targets.map(\.refId)).count == targets.count)
            }
        }
    }

    @Test("compose.yaml mounts every file of the folder where the configuration looks for it")
    func composeMountsThem() throws {
        let compose = try MonitoringFiles.text("compose.yaml")
        for mount in [
            "./infra/monitoring/prometheus.yaml:/etc/prometheus/prometheus.yaml:ro",
            "./infra/monitoring/rules.yaml:/etc/prometheus/rules.yaml:ro",
            "./infra/monitoring/grafana/datasources.yaml:/etc/grafana/provisioning/datasources/",
            "./infra/monitoring/grafana/dashboards.yaml:/etc/grafana/provisioning/dashboards/",
            "./infra/monitoring/dashboards:/etc/stockbridge/dashboards:ro",
        ] {
            #expect(compose.contains(mount), "\(mount)")
        }
        let provider = try MonitoringFiles.text("infra/monitoring/grafana/dashboards.yaml")
        #expect(provider.contains("path: /etc/stockbridge/dashboards"))
    }

    @Test("Prometheus looks for every service by its name at the port that its health check uses")
    func everyServiceIsScraped() throws {
        let compose = try MonitoringFiles.text("compose.yaml")
        let prometheus = try MonitoringFiles.text("infra/monitoring/prometheus.yaml")
        let service = #/command: \[([a-z-]+)\]\n(?:    .*\n){0,2}?    healthcheck: .*healthy", "(\d+)"/#
        let checked = compose.matches(of: service)
        #expect(checked.count == 6)
        for match in checked {
            let (name, port) = (match.output.1, match.output.2)
            let isLookedFor = prometheus.contains("{names: [\(name)], type: A, port: \(port),")
            #expect(isLookedFor, "\(name)")
        }
    }
}

@Suite("What an expression names")
struct PromQLTests {
    @Test("metrics with their labels, groupings, and nothing else")
    func names() {
        let parsed = PromQL(
            #"""
            sum by (queue) (label_replace(rate(a_total{result="done", x!~"by (y)"}[10m]), "queue", "$1", "n", "(.*)"))
              / on (shop) b:c:sum offset 5m > 26 * 3600 and max by (job, check) (deriv(d[15m:1m])) < 440e6
            """#)
        #expect(parsed.selectors.map(\.metric) == ["a_total", "b:c:sum", "d"])
        #expect(parsed.selectors[0].labels == ["result", "x"])
        #expect(parsed.groupings == ["shop", "job", "check"])
    }
}
