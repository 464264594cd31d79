import Foundation
import ProcessStack
import Testing

/// Runs one system on a cluster of its own for a suite: two shops, all services, the first morning on the shelves.
struct ClusterFaultSystem: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await ClusterServers.with { servers in
            var plan = BusinessLoad.plan
            plan.cluster = servers
            plan.edits += try servers.configurationEdits()
            try await ProcessStack.with(plan) { stack in
                let round = ClusterFaultRound(servers: servers, load: try await BusinessLoad(stack))
                try await ClusterFaultRound.$current.withValue(round) { try await function() }
            }
        }
        print(FaultTally.shared.text)
    }
}

/// What all cases of the suite share.
struct ClusterFaultRound: Sendable {
    @TaskLocal static var current: ClusterFaultRound?

    let servers: ClusterServers
    let load: BusinessLoad

    /// The broker node that leads most queues.
    func leader() async throws -> Int {
        let led = try await servers.queues(of: load.stack.name).led
        return try #require(led.max { $0.value < $1.value }).key
    }

    /// Waits until every queue has a member on each of the three nodes, and all are up.
    func waitForMembers() async throws {
        try await load.stack.wait(for: "every queue to have three members", within: .seconds(240)) {
            // A node that is coming back answers some questions with an error.
            guard let online = try? await servers.queues(of: load.stack.name).online.values else { return false }
            return !online.isEmpty && online.allSatisfy { $0 == 3 }
        }
    }

    /// Waits until no work is left that was begun long ago. A message that the broker was moving out of a delay tier
    /// when a node fell silent lies in no queue, and is moved again minutes later.
    func waitForBegunWork() async throws {
        let schemas = ["stock", "publishing", "orders", "erp", "reconciliation", "notifications"]
        let counts = schemas.map {
            "(SELECT count(*) FROM \($0).inbox WHERE NOT done AND received_at < now() - interval '20 s')"
        }
        try await load.stack.wait(for: "work that was begun to be done", within: .seconds(600)) {
            try await load.stack.number("SELECT (\(counts.joined(separator: " + ")))::bigint") == 0
        }
    }

    /// An order of this moment is seen and kept while servers are still missing.
    func showsThatWorkGoesOn() async throws {
        try await load.stack.waitUntilReady()
        try await load.stack.waitForOrders(within: .seconds(240))
    }
}
