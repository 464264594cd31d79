import Foundation
import ProcessStack
import TestStack
import Transfer

/// A real Prometheus with our configuration and rules, for one test.
final class Prometheus: Sendable {
    private let child: ChildProcess
    private let url: String
    private let transfer = TransferClient(options: TransferOptions())

    /// Scrapes these addresses instead of the names of compose's services, and more often.
    ///
    /// - Parameters:
    ///   - targets: Addresses by the name of the service or server.
    ///   - directory: Where it may write.
    init(targets: [String: [String]], directory: URL, port: Int) throws {
        var configuration = try MonitoringFiles.text("infra/monitoring/prometheus.yaml")
        for (name, addresses) in targets {
            let pattern = try Regex(#"dns_sd_configs: \[\{names: \[\#(name)\],.*\}\]"#)
            let list = addresses.map { "\"\($0)\"" }.joined(separator: ", ")
            guard configuration.contains(pattern) else {
                throw ProcessStackProblem("prometheus.yaml has no job that looks for \(name).")
            }
            configuration = configuration.replacing(pattern, with: "static_configs: [{targets: [\(list)]}]")
        }
        guard !configuration.contains("dns_sd_configs") else {
            throw ProcessStackProblem("prometheus.yaml looks for something that this test has not started.")
        }
        configuration.replace(#/(scrape_interval|evaluation_interval): 15s/#) { "\($0.output.1): 1s" }
        configuration.replace("scrape_timeout: 10s", with: "scrape_timeout: 1s")
        configuration.replace("[rules.yaml]", with: "[\(MonitoringFiles.path("rules.yaml"))]")
        let place = directory.appending(path: "prometheus")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let file = place.appending(path: "prometheus.yaml").path()
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        url = "http://127.0.0.1:\(port)"
        child = try ChildProcess(
            name: "prometheus", executable: "/usr/bin/prometheus",
            arguments: [
                "--config.file=\(file)", "--storage.tsdb.path=\(place.path())/data",
                "--web.listen-address=127.0.0.1:\(port)",
            ],
            environment: ProcessInfo.processInfo.environment, log: place.appending(path: "log").path())
    }

    /// Ends it.
    func stop() { child.kill() }

    private struct Answer<Content: Decodable>: Decodable {
        let status: String
        let data: Content?
        let error: String?
    }

    private struct Found: Decodable {
        struct Series: Decodable { let metric: [String: String] }
        let result: [Series]
    }

    private struct Alerts: Decodable {
        struct Alert: Decodable { let labels: [String: String], state: String }
        let alerts: [Alert]
    }

    private struct Rules: Decodable {
        struct Rule: Decodable { let name: String, health: String, lastError: String? }
        struct Group: Decodable { let rules: [Rule] }
        let groups: [Group]
    }

    /// The series that an expression gives now.
    func query(_ expression: String) async throws -> [[String: String]] {
        let text = expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return try await get("/api/v1/query?query=\(text)", as: Found.self).result.map(\.metric)
    }

    /// What is pending or firing, by name, with its labels.
    func alerts() async throws -> [[String: String]] {
        try await get("/api/v1/alerts", as: Alerts.self).alerts.map(\.labels)
    }

    /// Rules that could not be evaluated, with the reason.
    func brokenRules() async throws -> [String] {
        try await get("/api/v1/rules", as: Rules.self).groups.flatMap(\.rules).filter { $0.health != "ok" }
            .map { "\($0.name) is \($0.health): \($0.lastError ?? "")" }
    }

    private func get<Content: Decodable>(_ path: String, as type: Content.Type) async throws -> Content {
        guard child.isRunning else { throw ProcessStackProblem("Prometheus has ended:\n\(child.tail())") }
        let response = try await transfer.send(HTTPRequest(url: url + path, timeoutSeconds: 10))
        let answer = try JSONDecoder().decode(Answer<Content>.self, from: Data(response.body))
        guard let data = answer.data else {
            throw ProcessStackProblem("Prometheus does not take \(path): \(answer.error ?? "no reason given")")
        }
        return data
    }
}
