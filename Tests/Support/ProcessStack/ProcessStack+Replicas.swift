import Foundation
import Synchronization
import TestStack
import Transfer

extension ProcessStack {
    /// How many messages of each queue a replica has handled since it started, as its metrics say.
    public func handled(by service: String, replica: Int = 1) async throws -> [String: Int] {
        let child = try running(service, replica: replica)
        guard let port = child.adminPort else {
            throw ProcessStackProblem("\(child.name) does not say where its metrics are.")
        }
        let answer = try await management.transfer.send(
            HTTPRequest(url: "http://127.0.0.1:\(port)/metrics", timeoutSeconds: 5))
        var handled: [String: Int] = [:]
        for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("messaging_client_consumed_messages_total{") {
            guard let queue = line.firstMatch(of: #/messaging_destination_name="([^"]+)"/#)?.output.1,
                let count = line.split(separator: " ").last.flatMap({ Double($0) })
            else { continue }
            handled[String(queue), default: 0] += Int(count)
        }
        return handled
    }

    /// Every due time at which a schedule fired, of all processes of this system: `service: schedule, time`.
    public func firedSchedules() -> [String] {
        children.withLock { $0 }.flatMap { child in
            child.errors.split(separator: "\n").filter { $0.contains("\"schedule fired\"") }.map { line in
                let entry = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] ?? [:]
                let service = entry["service"] as? String ?? String(child.name.prefix { !$0.isNumber })
                return "\(service): \(entry["schedule"] ?? "?"), \(entry["due"] ?? "?")"
            }
        }
    }
}
