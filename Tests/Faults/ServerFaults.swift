import ProcessStack
import Testing

@Suite("Faults of the broker, the database and the network", .serialized, ServerFaultSystem(), .timeLimit(.minutes(60)))
struct ServerFaults {
    /// Each once; over many seeds, each seed one more.
    static let cases: [(fault: ServerFault, seed: UInt64)] = {
        guard FaultSeeds.count > 1 else { return ServerFault.short.map { ($0, FaultSeeds.all[0]) } }
        let all = ServerFault.allCases
        let further = FaultSeeds.all.dropFirst().map { (all[Int($0 % UInt64(all.count))], $0) }
        return all.map { ($0, FaultSeeds.all[0]) } + further
    }()

    @Test("Every service comes back by itself, and nothing is lost, twice or stale", arguments: cases)
    func fault(_ fault: ServerFault, seed: UInt64) async throws {
        if fault == .databaseDiskFull, let round = ServerFaultRound.current, !round.servers.hasOwnDisk {
            FaultTally.shared.skip(fault: fault.rawValue, because: "this machine does not permit to mount a disk")
            return
        }
        let (round, began) = (try #require(ServerFaultRound.current), ContinuousClock.now)
        var dice = Dice(seed: seed)
        try await round.load.work(&dice)
        let injected = try await fault.inject(into: round, &dice)
        try await round.load.check(fault.rawValue, seed: seed, injected: injected, since: began)
    }
}
