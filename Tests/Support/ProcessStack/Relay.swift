import Foundation

/// A process between a server and its clients, which can make their connections half-open: `infra/stack/relay.py`.
public final class Relay: Sendable {
    /// Where it listens.
    let port: Int
    private let child: ChildProcess

    /// Starts it; returns once it listens.
    ///
    /// - Parameter target: The server's port.
    static func start(to target: Int, log: String) async throws -> Relay {
        let child = try ChildProcess(
            name: "relay to \(target)", executable: "/usr/bin/python3",
            arguments: ["-B", Places.script("infra/stack/relay.py"), "--target", "\(target)"],
            environment: ProcessInfo.processInfo.environment, log: log)
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            if child.output.hasSuffix("\n"), let port = Int(child.output.dropLast()) {
                return Relay(port: port, child: child)
            }
            guard child.isRunning, ContinuousClock.now < deadline else {
                throw ProcessStackProblem("The relay to \(target) does not start:\n\(child.tail())")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private init(port: Int, child: ChildProcess) { (self.port, self.child) = (port, child) }

    /// Makes every connection of this moment half-open: neither side hears of the other any more. Later ones work.
    public func forgetConnections() { child.signal(SIGUSR1) }

    /// Stops it: everything is taken in until buffers are full, nothing is answered.
    public func freeze() { child.signal(SIGSTOP) }

    /// Lets it go on where it was.
    public func resume() { child.signal(SIGCONT) }

    func kill() { child.kill() }
}
