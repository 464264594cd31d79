import Contracts
import Foundation
import Logging
import Messaging
import PostgreSQL
import RabbitMQ

/// Says every few seconds that this replica is alive, and signs off at the end.
struct Heartbeat: Sendable {
    static let everySeconds = 5

    let parts: ServiceParts

    func run() async {
        while !parts.stop.isStopping {
            // notifier tells people when the broker takes nothing for long.
            await beat(state: parts.runners.publisher.isBlocked ? "blocked" : "running")
            await parts.stop.sleep(for: .seconds(Self.everySeconds))
        }
        _ = try? await parts.database.pool.query("SELECT shared.sign_off($1)", [.uuid(parts.replicaID)])
    }

    private func beat(state: String) async {
        do throws(PostgresError) {
            _ = try await parts.database.pool.query(
                "SELECT shared.heartbeat($1, $2, $3, $4, $5)",
                [
                    .uuid(parts.replicaID), .text(parts.name.rawValue), .text(ProcessInfo.processInfo.hostName),
                    .integer(Int64(ProcessInfo.processInfo.processIdentifier)), .text(state),
                ])
        } catch {
            parts.logger.warning("heartbeat not written", metadata: ["problem": "\(error)"])
        }
    }
}
