import Contracts
import Foundation
import ProcessStack
import TestStack
import Testing

@Suite(
    "Two replicas of everything", .serialized, .timeLimit(.minutes(60)),
    WholeSystem(replicas: 2, shopLatencyMilliseconds: 100))
struct ReplicaFaults {
    static let killsOfASeed = 5

    @Test("Whoever of them dies whenever, the day comes out as if nobody had", arguments: FaultSeeds.all)
    func replicas(seed: UInt64) async throws {
        print("fault: two replicas with STOCKBRIDGE_FAULT_SEED=\(seed)")
        let (round, began) = (try WholeRound.begin(), ContinuousClock.now)
        let stack = round.stack
        var dice = Dice(seed: seed)
        var killed: [String] = []
        try await round.ask(.stockIngestor, .republish)
        for _ in 0..<Self.killsOfASeed {
            try await round.keepBusy(&dice)
            let (service, replica) = (WholeRound.services[dice.roll(WholeRound.services.count)], 1 + dice.roll(2))
            // The moment is the fault: nothing is waited for.
            try await Task.sleep(for: .milliseconds(dice.roll(1_000)))
            try stack.running(service, replica: replica).kill()
            try await round.countInFlight()
            killed.append("\(service) \(replica)")
            try await stack.letLeasesRunOut()
            try await stack.start(service, replica: replica)
        }
        try await round.check(
            "seed \(seed), two replicas, kill -9 of \(killed.joined(separator: ", "))",
            kind: "kill -9 of any of two replicas of everything", injected: killed.count, since: began)
    }
}

@Suite(
    "kill -9 of order-collector, erp-bridge and reconciler at each named point", .serialized, .timeLimit(.minutes(60)),
    WholeSystem())
struct OrderServiceFaults {
    /// Reading a shop back changes nothing there, so reconciler has no point between a call and its record. With one
    /// seed each dies once.
    static let faults: [NamedFault] = {
        let all = ["order-collector", "erp-bridge", "reconciler"].flatMap { NamedFault.all($0, times: [1]) }
            .filter { $0.service != "reconciler" || $0.point != "after-http-before-commit" }
        guard FaultSeeds.count == 1 else { return all }
        return all.filter { fault in
            fault.point == (fault.service == "reconciler" ? "after-commit-before-ack" : "after-http-before-commit")
        }
    }()

    @Test("Nothing is lost or twice, whoever dies where", arguments: faults)
    func point(fault: NamedFault) async throws {
        let (round, began) = (try WholeRound.begin(), ContinuousClock.now)
        let stack = round.stack
        var dice = Dice(seed: FaultSeeds.all[0])
        try await stack.running(fault.service).stop()
        try await round.keepBusy(&dice)
        let dying = try stack.startToDie(fault.service, at: fault.point, times: fault.times)
        do {
            try await stack.wait(for: "\(fault.service) to die") { !dying.isRunning }
        } catch {
            dying.kill()
            try await stack.start(fault.service)
            throw error
        }
        #expect(dying.exitStatus == -SIGKILL, "it was killed at the point, and did not end otherwise")
        try await round.countInFlight()
        try await stack.letLeasesRunOut()
        try await stack.start(fault.service)
        try await round.check(fault.testDescription, kind: fault.kind, injected: 1, since: began)
    }
}
