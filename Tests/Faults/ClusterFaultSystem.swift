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

    /// Waits until every queue lies on three nodes.
    func waitForMembers() async throws {
        try await load.stack.wait(for: "every queue to have three members") {
            let members = try await servers.queues(of: load.stack.name).members.values
            return !members.isEmpty && members.allSatisfy { $0 == 3 }
        }
    }

    /// An order of this moment is seen and kept while servers are still missing.
    func showsThatWorkGoesOn() async throws {
        try await load.stack.waitUntilReady()
        try await load.stack.waitForOrders(within: .seconds(240))
    }
}
