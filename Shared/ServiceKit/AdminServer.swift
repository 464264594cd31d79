import Foundation
import Hummingbird
import Logging
import Messaging
import ServiceLifecycle

/// Answers whether one thing a service needs is there; a sentence if it is not.
public struct ReadinessCheck: Sendable {
    /// What is checked, such as `database`.
    public let name: String
    /// Nil when it is there, else what is wrong.
    public let problem: @Sendable () async -> String?

    /// Describes a check.
    public init(name: String, problem: @escaping @Sendable () async -> String?) {
        self.name = name
        self.problem = problem
    }
}

/// `/healthz` (alive), `/readyz` (can it work) and `/metrics` (Prometheus).
struct AdminServer: Sendable {
    let host: String
    let port: Int
    let checks: [ReadinessCheck]
    let metrics: PrometheusMetrics
    let stop: StopSignal
    let logger: Logger
    let bound: @Sendable (Int) -> Void

    func application() -> some ApplicationProtocol {
        let router = Router()
        router.get("/healthz") { _, _ in "alive\n" }
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
                body: .init(byteBuffer: ByteBuffer(string: metrics.text(with: ProcessReadings.now()))))
        }
        router.get("/readyz") { _, _ in
            var problems: [String] = stop.isStopping ? ["stopping"] : []
            for check in checks {
                if let problem = await check.problem() { problems.append("\(check.name): \(problem)") }
            }
            return Response(
                status: problems.isEmpty ? .ok : .serviceUnavailable, headers: [.contentType: "text/plain"],
                body: .init(
                    byteBuffer: ByteBuffer(
                        string: (problems.isEmpty ? ["ready"] : problems)
                            .joined(separator: "\n") + "\n")))
        }
        let bound = self.bound
        return Application(
            router: router,
            configuration: .init(address: .hostname(host, port: port), serverName: "stockbridge"),
            onServerRunning: { channel in bound(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}
