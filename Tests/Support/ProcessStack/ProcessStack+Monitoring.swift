import Foundation
import Synchronization
import TestStack

extension ProcessStack {
    /// Where each running replica shows its metrics, by service.
    public func metricsAddresses() throws -> [String: [String]] {
        var addresses: [String: [String]] = [:]
        for (name, child) in runningServices {
            guard let port = child.adminPort else {
                throw ProcessStackProblem("\(name) has not said where its metrics are.")
            }
            let service = name.replacing(#/-\d+$/#, with: "")
            addresses[service, default: []].append("127.0.0.1:\(port)")
        }
        return addresses
    }

    /// Where the broker shows its metrics.
    public func brokerMetricsAddress() throws -> String {
        let url = try Places.variable("STOCKBRIDGE_TEST_BROKER_METRICS", of: serverEnvironment)
        guard let parts = URLComponents(string: url), let host = parts.host, let port = parts.port else {
            throw ProcessStackProblem("STOCKBRIDGE_TEST_BROKER_METRICS is no address.")
        }
        return "\(host):\(port)"
    }

    private var runningServices: [(String, ChildProcess)] {
        children.withLock { $0 }.filter { $0.name != "mail" && $0.name != "stockbridge" && $0.isRunning }
            .map { ($0.name, $0) }
    }
}
