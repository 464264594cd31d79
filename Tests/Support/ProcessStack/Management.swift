import Foundation
import Transfer

/// The broker's management API, as far as tests need it.
final class Management: Sendable {
    static let shared = Management(ProcessInfo.processInfo.environment)

    private let environment: [String: String]
    let transfer = TransferClient(options: TransferOptions())

    /// - Parameter environment: That of the servers.
    init(_ environment: [String: String]) { self.environment = environment }

    private struct Queue: Decodable { let name: String }

    /// The names of a virtual host's queues.
    func queues(of virtualHost: String) async throws -> [String] {
        let answer = try await call("GET", "/api/queues/\(virtualHost)?columns=name")
        return try JSONDecoder().decode([Queue].self, from: Data(answer)).map(\.name).sorted()
    }

    func removeVirtualHost(_ name: String) async throws { _ = try await call("DELETE", "/api/vhosts/\(name)") }

    private func call(_ method: String, _ path: String) async throws -> [UInt8] {
        let url = try Places.variable("STOCKBRIDGE_TEST_BROKER_MANAGEMENT", of: environment)
        guard let address = URLComponents(string: url) else {
            throw ProcessStackProblem("STOCKBRIDGE_TEST_BROKER_MANAGEMENT is no address.")
        }
        let base = "http://\(address.host ?? "127.0.0.1"):\(address.port ?? 15_672)"
        let account = Credentials(user: address.user ?? "guest", password: address.password ?? "guest")
        let answer = try await transfer.send(
            HTTPRequest(method: method, url: base + path, timeoutSeconds: 60, basicCredentials: account))
        guard (200..<300).contains(answer.status) else {
            throw ProcessStackProblem("The broker's management API answered \(method) \(path) with \(answer.status).")
        }
        return answer.body
    }
}
