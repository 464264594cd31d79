import ProcessStack
import Testing

@Suite("Faults of a cluster", .serialized, ClusterFaultSystem(), .timeLimit(.minutes(60)))
struct ClusterFaults {
    /// Each once; over many seeds all in turn, each time with another seed.
    static let cases: [(fault: ClusterFault, seed: UInt64)] = {
        guard FaultSeeds.count > 1 else { return ClusterFault.short.map { ($0, FaultSeeds.all[0]) } }
        let (all, seeds) = (ClusterFault.allCases, FaultSeeds.all)
        return (0..<max(all.count, seeds.count)).map { (all[$0 % all.count], seeds[$0 % seeds.count]) }
    }()

    @Test("What was answered is on more than one machine: nothing is lost, twice or stale", arguments: cases)
    func fault(_ fault: ClusterFault, seed: UInt64) async throws {
        let (round, began) = (try #require(ClusterFaultRound.current), ContinuousClock.now)
        try await round.waitForMembers()
        var dice = Dice(seed: seed)
        try await round.load.work(&dice)
        let injected = try await fault.inject(into: round, &dice)
        try await round.waitForBegunWork()
        try await round.load.check(fault.rawValue, seed: seed, injected: injected, since: began)
    }
}
