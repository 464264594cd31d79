import Domain
import Foundation
import Settings
import Testing
import Transfer

@testable import StockIngestor

@Suite("Which files of a listing are taken")
struct LookDecisionTests {
    private static let now = Date(timeIntervalSince1970: 1_795_000_000)

    private func entry(_ name: String, size: Int = 100, hoursAgo: Double = 1) -> RemoteEntry {
        RemoteEntry(name: name, size: size, modifiedAt: Self.now.addingTimeInterval(-3_600 * hoursAgo))
    }

    private func decide(
        _ entries: [RemoteEntry], _ completeness: StockbridgeConfiguration.Completeness = .rename,
        taken: [RemoteEntry] = [], seen: [String: Date] = [:], first: Bool = false, after seconds: Double = 0,
        asOf: @escaping (Candidate) -> Date? = { $0.modifiedAt }
    ) -> LookDecision {
        LookDecision(
            entries: entries, matches: { $0.hasSuffix(".csv") }, completeness: completeness,
            taken: Set(taken.compactMap { Candidate($0).version }), seen: seen, isFirstOfSource: first,
            now: Self.now.addingTimeInterval(seconds), asOf: asOf)
    }

    @Test("A file is complete when size and time are the same at two looks a few seconds apart")
    func stable() {
        let first = decide([entry("a.csv")], .stable)
        #expect(first.ready.isEmpty)
        #expect(first.growing.map(\.name) == ["a.csv"])
        #expect(decide([entry("a.csv")], .stable, seen: first.seen, after: 2.9).ready.isEmpty)
        #expect(decide([entry("a.csv")], .stable, seen: first.seen, after: 3).ready.map(\.name) == ["a.csv"])
    }

    @Test("A file that grew between two looks begins anew")
    func grown() {
        let first = decide([entry("a.csv")], .stable)
        let second = decide([entry("a.csv", size: 200)], .stable, seen: first.seen, after: 60)
        #expect(second.ready.isEmpty)
        #expect(second.seen.count == 1, "what the file was before is forgotten")
        let third = decide([entry("a.csv", size: 200)], .stable, seen: second.seen, after: 63)
        #expect(third.ready.map(\.size) == [200])
    }

    @Test("With markers, only files beside their marker are complete, and markers are no files")
    func marker() {
        let decision = decide(
            [entry("a.csv"), entry("a.csv.done"), entry("b.csv"), entry("c.done.csv")], .marker(suffix: ".done"))
        #expect(decision.ready.map(\.name) == ["a.csv"])
        #expect(decision.growing.map(\.name) == ["b.csv", "c.done.csv"])
    }

    @Test("A version that was looked into is not taken again; a changed file is")
    func taken() {
        let old = entry("a.csv")
        #expect(decide([old], taken: [old]).ready.isEmpty)
        #expect(decide([entry("a.csv", size: 101)], taken: [old]).ready.count == 1)
        #expect(decide([entry("a.csv", hoursAgo: 0)], taken: [old]).ready.count == 1)
    }

    @Test("Several new files come oldest statement first, whatever their times say")
    func order() {
        let times = ["b.csv": 1.0, "a.csv": 2.0, "c.csv": 3.0]
        let decision = decide([entry("c.csv"), entry("a.csv", hoursAgo: 9), entry("b.csv", hoursAgo: 0)]) {
            times[$0.name].map(Date.init(timeIntervalSince1970:))
        }
        #expect(decision.ready.map(\.name) == ["b.csv", "a.csv", "c.csv"])
    }

    @Test("Of a source's past only the newest file counts")
    func firstOfSource() {
        let files = (1...5).map { entry("\($0).csv", hoursAgo: Double($0)) }
        let decision = decide(files, first: true)
        #expect(decision.ready.map(\.name) == ["1.csv"])
        #expect(decision.passedOver.map(\.name) == ["5.csv", "4.csv", "3.csv", "2.csv"])
    }

    @Test("Nothing of a source's past is taken while its newest file may still be written")
    func firstStillGrowing() {
        let seen = decide([entry("old.csv", hoursAgo: 5)], .stable, first: true).seen
        let decision = decide(
            [entry("old.csv", hoursAgo: 5), entry("new.csv", hoursAgo: 0)], .stable, seen: seen, first: true, after: 10)
        #expect(decision.ready.isEmpty && decision.passedOver.isEmpty)
        #expect(decision.growing.map(\.name) == ["new.csv"])
    }

    @Test("No run takes more than its share; older files are passed over")
    func bounded() {
        let files = (1...14).map { entry("\(100 + $0).csv", hoursAgo: Double(20 - $0)) }
        let decision = decide(files)
        #expect(decision.ready.count == LookDecision.mostFiles)
        #expect(decision.ready.last?.name == "114.csv")
        #expect(decision.passedOver.map(\.name) == ["101.csv", "102.csv", "103.csv", "104.csv"])
    }

    @Test("Other files of the folder are left alone")
    func foreign() {
        let decision = decide([entry("readme.txt"), entry("a.csv.part")])
        #expect(decision.ready.isEmpty && decision.growing.isEmpty)
    }

    @Test("A server that states neither time nor tag gives a file no version to recognise it by")
    func versionless() {
        let candidate = Candidate(RemoteEntry(name: "a.csv", size: 3, modifiedAt: nil))
        #expect(candidate.version == nil)
        #expect(Candidate(RemoteEntry(name: "a.csv", size: 3, modifiedAt: nil, entityTag: "x")).version == "a.csv|3||x")
    }
}
