import Foundation
import ProcessStack
import TestStack
import Testing

/// How much is tried: once in every test run, many times in `make test-faults`.
enum FaultSeeds {
    /// `STOCKBRIDGE_FAULT_SEEDS` says how many.
    static let count = max(1, number("STOCKBRIDGE_FAULT_SEEDS") ?? 1)
    /// `STOCKBRIDGE_FAULT_SEED` names the first, to repeat one.
    static let all: [UInt64] = {
        let first = number("STOCKBRIDGE_FAULT_SEED") ?? 1
        return Array(first..<first + count)
    }()

    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }
}

@Suite("kill -9 at random moments", .serialized, FaultSystem(publishers: 2, shopLatencyMilliseconds: 300))
struct RandomKillFaults {
    static let killsOfASeed = 4
    /// Publishers do most of the work, so they die most often.
    static let victims = [
        ("stock-publisher", 1), ("stock-publisher", 2), ("stock-publisher", 1), ("stock-publisher", 2),
        ("stock-ingestor", 1),
    ]

    @Test("Whoever dies whenever: every shelf is right and nothing is lost", arguments: FaultSeeds.all)
    func kills(seed: UInt64) async throws {
        print("fault: random kills with STOCKBRIDGE_FAULT_SEED=\(seed)")
        let (round, began) = (try FaultRound.begin(), ContinuousClock.now)
        let stack = round.stack
        var dice = Dice(seed: seed)
        try await round.nextMorning()
        var killed: [String] = []
        for _ in 0..<Self.killsOfASeed {
            let (service, replica) = Self.victims[dice.roll(Self.victims.count)]
            let milliseconds = dice.roll(1_500)
            // The moment is the fault: nothing is waited for.
            try await Task.sleep(for: .milliseconds(milliseconds))
            try stack.running(service, replica: replica).kill()
            try await round.countInFlight()
            killed.append("\(service) \(replica) after \(milliseconds) ms")
            try await round.stack.letLeasesRunOut()
            try await stack.start(service, replica: replica)
        }
        try await round.check(
            "seed \(seed), kill -9 of \(killed.joined(separator: ", "))", kind: "kill -9 at random moments",
            injected: killed.count, since: began)
    }
}
