import Foundation

/// A process between a server and its clients, which can make their connections half-open: `infra/stack/relay.py`.
public final class Relay: Sendable {
    /// Where it listens.
    public let port: Int
    private let child: ChildProcess

    /// Starts it; returns once it listens.
    ///
    /// - Parameters:
    ///   - target: The server's port.
    ///   - log: As for ``ChildProcess``.
    public static func start(to target: Int, log: String? = nil) async throws -> Relay {
        let child = try ChildProcess(
            name: "relay to \(target)", executable: "/usr/bin/python3",
            arguments: ["-B", Repository.path("infra/stack/relay.py"), "--target", "\(target)"], log: log)
        guard let port = Int(try await child.firstLine()) else {
            throw TestStackProblem("The relay to \(target) names no port:\n\(child.output)")
        }
        return Relay(port: port, child: child)
    }

    private init(port: Int, child: ChildProcess) { (self.port, self.child) = (port, child) }

    /// Makes every connection of this moment half-open: neither side hears of the other any more. Later ones work.
    /// Returns once it is so.
    public func forgetConnections() async throws {
        let before = child.output.split(separator: "\n").count
        child.signal(SIGUSR1)
        let isDone = try await eventually(within: .seconds(60)) { child.output.split(separator: "\n").count > before }
        guard isDone else { throw TestStackProblem("\(child.name) has not forgotten its connections.") }
    }

    /// Stops it: everything is taken in until buffers are full, nothing is answered.
    public func freeze() { child.signal(SIGSTOP) }

    /// Lets it go on where it was.
    public func resume() { child.signal(SIGCONT) }

    /// Ends it, and every connection over it.
    public func kill() { child.kill() }
}
