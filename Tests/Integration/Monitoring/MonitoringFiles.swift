import Foundation
import TestStack
import Yams

/// What `infra/monitoring` and `docs/monitoring.md` say.
struct MonitoringFiles {
    /// An alert or a recorded figure of `rules.yaml`.
    struct Rule: Decodable {
        let alert: String?
        let record: String?
        let expr: String
        let labels: [String: String]?
        let annotations: [String: String]?
    }

    private struct RuleFile: Decodable {
        struct Group: Decodable { let rules: [Rule] }
        let groups: [Group]
    }

    /// A dashboard, as far as Grafana needs it to find and to draw it.
    struct Dashboard: Decodable {
        struct Source: Decodable, Equatable { let type: String, uid: String }
        struct Target: Decodable { let refId: String, expr: String, datasource: Source }
        struct Place: Decodable { let x: Int, y: Int, w: Int, h: Int }
        struct Panel: Decodable {
            let id: Int, type: String, title: String, gridPos: Place
            let datasource: Source?, targets: [Target]?
        }
        let uid: String, title: String, panels: [Panel]
    }

    /// The tests of the rules, as far as it matters here which alerts they are about.
    struct RuleTests: Decodable {
        struct Expected: Decodable { let exp_labels: [String: String]? }
        struct AlertTest: Decodable { let alertname: String, exp_alerts: [Expected]? }
        struct Test: Decodable { let alert_rule_test: [AlertTest]? }
        let tests: [Test]
    }

    static var folder: URL { Repository.folder.appending(path: "infra/monitoring") }

    static func path(_ name: String) -> String { folder.appending(path: name).path() }

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: Repository.path(path), encoding: .utf8)
    }

    static func rules() throws -> [Rule] {
        try YAMLDecoder().decode(RuleFile.self, from: text("infra/monitoring/rules.yaml")).groups.flatMap(\.rules)
    }

    static func ruleTests() throws -> RuleTests {
        try YAMLDecoder().decode(RuleTests.self, from: text("infra/monitoring/rules.test.yaml"))
    }

    static func dashboards() throws -> [Dashboard] {
        let place = folder.appending(path: "dashboards")
        return try FileManager.default.contentsOfDirectory(atPath: place.path()).filter { $0.hasSuffix(".json") }
            .sorted().map { name in
                try JSONDecoder().decode(Dashboard.self, from: Data(contentsOf: place.appending(path: name)))
            }
    }

    /// Every expression with what it stands in.
    static func expressions() throws -> [(place: String, text: String)] {
        let ofRules = try rules().map { ("rule \($0.alert ?? $0.record ?? "?")", $0.expr) }
        let ofPanels = try dashboards().flatMap { dashboard in
            dashboard.panels.flatMap { panel in
                (panel.targets ?? []).map { ("\(dashboard.title), \(panel.title)", $0.expr) }
            }
        }
        return ofRules + ofPanels
    }

    /// The names in the first column of the tables below a heading of `docs/monitoring.md`.
    static func documented(below heading: String) throws -> Set<String> {
        let lines = try text("docs/monitoring.md").split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(of: "## \(heading)") else { return [] }
        let section = lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }
        return Set(section.compactMap { $0.firstMatch(of: #/^\| `([A-Za-z_:]+)`/#).map { String($0.output.1) } })
    }
}
