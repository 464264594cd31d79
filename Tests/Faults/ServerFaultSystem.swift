import ProcessStack
import Testing

/// Runs one system on servers of its own for a suite: two shops, all services, the first morning on the shelves.
struct ServerFaultSystem: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await PrivateServers.with(diskMegabytes: 512) { servers in
            var plan = BusinessLoad.plan
            plan.servers = servers
            try await ProcessStack.with(plan) { stack in
                let round = ServerFaultRound(servers: servers, load: try await BusinessLoad(stack))
                try await ServerFaultRound.$current.withValue(round) { try await function() }
            }
        }
        print(FaultTally.shared.text)
    }
}

/// What all cases of the suite share.
struct ServerFaultRound: Sendable {
    @TaskLocal static var current: ServerFaultRound?

    let servers: PrivateServers
    let load: BusinessLoad

    var stack: ProcessStack { load.stack }
}
