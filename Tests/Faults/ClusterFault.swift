import Foundation
import ProcessStack
import Testing

/// What happens to the servers of a cluster while all services work.
enum ClusterFault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case leaderKilled = "kill -9 of the broker node that leads most queues"
    case primaryFailedOver = "kill -9 of the primary database, and promotion of the standby"
    case nodesInTurn = "kill -9 of each broker node, one after the other"

    /// All that `make test` has the time for.
    static let short: [ClusterFault] = [.primaryFailedOver]

    var testDescription: String { rawValue }

    /// Does it, and then what an operator does about it; the services are left alone.
    ///
    /// - Returns: How many faults that were.
    func inject(into round: ClusterFaultRound, _ dice: inout Dice) async throws -> Int {
        let (servers, load) = (round.servers, round.load)
        switch self {
        case .leaderKilled:
            try await servers.killBroker(try await round.leader())
            try await load.outage(&dice)
            try await round.showsThatWorkGoesOn()
            try await servers.start()
            return 1
        case .primaryFailedOver:
            try await servers.killDatabase(try servers.primary())
            try await failOver(round, &dice)
            return 1
        case .nodesInTurn:
            for node in ClusterServers.nodes {
                try await servers.killBroker(node)
                try load.buy(2, &dice)
                try await servers.start()
                try await round.waitForMembers()
            }
            return ClusterServers.nodes.count
        }
    }

    /// The standby takes over; the old primary comes back as a standby, which alone gets everything that was ever
    /// answered.
    private func failOver(_ round: ClusterFaultRound, _ dice: inout Dice) async throws {
        try await round.load.outage(&dice)
        try await round.servers.promote()
        try round.load.buy(2, &dice)
        try await round.showsThatWorkGoesOn()
        try await round.servers.start()
    }
}
