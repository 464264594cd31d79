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

    /// What it answers to a question.
    func get(_ path: String) async throws -> [UInt8] { try await call("GET", path) }

    /// Asks one node after the other, where there are several.
    private func call(_ method: String, _ path: String) async throws -> [UInt8] {
        let url = try Places.variable("STOCKBRIDGE_TEST_BROKER_MANAGEMENT", of: environment)
        guard let address = URLComponents(string: url) else {
            throw ProcessStackProblem("STOCKBRIDGE_TEST_BROKER_MANAGEMENT is no address.")
        }
        let further = environment["STOCKBRIDGE_TEST_FURTHER_BROKERS"]?.split(separator: ",").map(String.init) ?? []
        let account = Credentials(user: address.user ?? "guest", password: address.password ?? "guest")
        var hosts = [address.host ?? "127.0.0.1"] + further
        var request = HTTPRequest(method: method, url: "", timeoutSeconds: 60, basicCredentials: account)
        let answer: HTTPResponse
        while true {
            request.url = "http://\(hosts.removeFirst()):\(address.port ?? 15_672)" + path
            do {
                answer = try await transfer.send(request)
                break
            } catch {
                if hosts.isEmpty { throw error }
            }
        }
        guard (200..<300).contains(answer.status) else {
            throw ProcessStackProblem("The broker's management API answered \(method) \(path) with \(answer.status).")
        }
        return answer.body
    }
}
