import Foundation
import Testing

@Suite("Pushing, over seeded interleavings of everything that can happen to it")
struct PushingModelTests {
    /// `SEED=n` runs that one seed; `SEEDS=n` runs so many from the first.
    private static func seeds(_ usual: UInt64) -> ClosedRange<UInt64> {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["SEED"].flatMap(UInt64.init) { return seed...seed }
        return 1...max(environment["SEEDS"].flatMap(UInt64.init) ?? usual, 1)
    }

    @Test
    func noShelfEndsOnAnOlderLevelNothingIsWrittenTwiceAtOnceAndNoIncreaseComesFromStaleFeeds() {
        for seed in Self.seeds(3_000) {
            guard let violation = World.run(seed: seed) else { continue }
            Issue.record("\(violation). Run it again with SEED=\(seed).")
            return
        }
    }

    @Test(arguments: Sabotage.allCases.filter { $0 != .none })
    func theModelNoticesWhenADefenceIsTakenOut(_ sabotage: Sabotage) {
        let seeds: ClosedRange<UInt64> = 1...2_000
        let noticed = seeds.lazy.compactMap { World.run(seed: $0, sabotage: sabotage) }.first
        #expect(noticed != nil, "no seed noticed \(sabotage.rawValue)")
        if ProcessInfo.processInfo.environment["SHOW"] != nil { print("\(sabotage.rawValue): \(noticed ?? "-")") }
    }
}
