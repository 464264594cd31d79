import Foundation
import ProcessStack
import Testing

/// What happens to the servers of a cluster while all services work.
enum ClusterFault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case leaderKilled = "kill -9 of the broker node that leads most queues"
    case primaryFailedOver = "kill -9 of the primary database, and promotion of the standby"
    case nodesInTurn = "kill -9 of each broker node, one after the other"
    case twoNodesKilled = "kill -9 of two of the three broker nodes, and their restart"
    case nodeHung = "a broker node hangs, wakes up later, and is restarted"
    case primaryHung = "the primary database hangs, and wakes up later"
    case primaryHungAndFenced = "the primary database hangs; kill -9 of it, and promotion of the standby"
    case primaryHungAndReplaced = "the primary database hangs, wakes up when the standby was promoted"
    case standbyKilled = "kill -9 of the standby database, and its restart"
    case standbyGivenUp = "kill -9 of the standby database; the primary goes on alone until it is back"

    /// All that `make test` has the time for.
    static let short: [ClusterFault] = [.primaryFailedOver, .standbyGivenUp]

    var testDescription: String { rawValue }

    /// Does it, and then what an operator does about it; the services are left alone.
    ///
    /// - Returns: How many faults that were.
    func inject(into round: ClusterFaultRound, _ dice: inout Dice) async throws -> Int {
        let servers = round.servers
        switch self {
        case .leaderKilled:
            try await servers.killBroker(try await round.leader())
            try await round.load.outage(&dice)
            try await round.showsThatWorkGoesOn()
            try await servers.start()
        case .nodesInTurn:
            for node in ClusterServers.nodes {
                try await servers.killBroker(node)
                try round.load.buy(2, &dice)
                try await servers.start()
                try await round.waitForMembers()
            }
            return ClusterServers.nodes.count
        case .twoNodesKilled: try await killTwoNodes(round, &dice)
        case .nodeHung: try await hangNode(round, &dice)
        case .primaryFailedOver:
            try await servers.killDatabase(try servers.primary())
            try await round.load.outage(&dice)
            try await servers.promote()
            try round.load.buy(2, &dice)
            try await round.showsThatWorkGoesOn()
            // The old primary comes back as a standby, which alone gets everything that was ever answered.
            try await servers.start()
        case .primaryHung, .primaryHungAndFenced, .primaryHungAndReplaced: try await hangPrimary(round, &dice)
        case .standbyKilled, .standbyGivenUp: try await killStandby(round, &dice)
        }
        return 1
    }

    /// One node is no majority: it takes and gives nothing until a second one is back.
    private func killTwoNodes(_ round: ClusterFaultRound, _ dice: inout Dice) async throws {
        let leader = try await round.leader()
        let others = ClusterServers.nodes.filter { $0 != leader }
        try await round.servers.killBroker(leader)
        try await round.servers.killBroker(others[dice.roll(others.count)])
        try await round.load.stack.waitUntilUnready(because: "broker:")
        try await round.load.outage(&dice)
        try await round.servers.start()
        try await round.showsThatWorkGoesOn()
    }

    /// Its clients hear nothing, and go to another node; what it holds for them is given to others. Awake again it does
    /// not know what it missed, until an operator restarts it.
    private func hangNode(_ round: ClusterFaultRound, _ dice: inout Dice) async throws {
        let (servers, node) = (round.servers, try await round.leader())
        defer { servers.wakeBroker(node) }
        try servers.hangBroker(node)
        try await round.load.outage(&dice)
        try await round.load.waitForShelves()
        servers.wakeBroker(node)
        try round.load.buy(2, &dice)
        try await round.showsThatWorkGoesOn()
        try await servers.killBroker(node)
        try await servers.start()
        try await round.waitForMembers()
    }

    /// Nobody promotes by himself: either it wakes up, or an operator replaces it.
    private func hangPrimary(_ round: ClusterFaultRound, _ dice: inout Dice) async throws {
        let servers = round.servers
        let primary = try servers.primary()
        defer { servers.wakeDatabase(primary) }
        try servers.hangDatabase(primary)
        try await round.load.outage(&dice)
        try await round.load.stack.waitUntilUnready(because: "database:")
        if self == .primaryHungAndFenced { try await servers.killDatabase(primary) }
        if self != .primaryHung {
            try await servers.promote(vouching: self == .primaryHungAndReplaced)
            try round.load.buy(2, &dice)
            try await round.showsThatWorkGoesOn()
        }
        servers.wakeDatabase(primary)
        if self == .primaryHungAndReplaced { try await servers.waitUntilDatabaseEnds(primary) }
        try await round.showsThatWorkGoesOn()
        try await servers.start()
    }

    /// The primary answers no COMMIT until the standby is back, or somebody says that it may do without.
    private func killStandby(_ round: ClusterFaultRound, _ dice: inout Dice) async throws {
        let servers = round.servers
        let primary = try servers.primary()
        try await servers.killDatabase(3 - primary)
        try await round.load.outage(&dice)
        try await round.load.stack.waitUntilUnready(because: "standby")
        if self == .standbyGivenUp {
            try await servers.goOnAlone()
            try await round.showsThatWorkGoesOn()
        }
        try await servers.start()
        try await round.showsThatWorkGoesOn()
    }
}
