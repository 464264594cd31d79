import Testing

@testable import Stockbridge

@Suite("Whether a folder of reports can be all that was mailed since a backup")
struct ReportChainTests {
    private func chain(
        _ files: [(batch: String, previous: String?)], sent: Set<String> = ["hanoi-1"], digests: [String] = []
    ) -> ReportChain {
        ReportChain(
            files.enumerated().map { index, file in
                (
                    "\(file.batch).xlsx", file.batch, String(file.batch.prefix { $0 != "-" }), file.previous,
                    index < digests.count ? digests[index] : file.batch
                )
            }, shops: ["hanoi", "saigon"], sent: sent)
    }

    @Test("Each report follows one that is known, or is its shop's first")
    func complete() {
        let complete = chain([("hanoi-2", "hanoi-1"), ("hanoi-3", "hanoi-2"), ("saigon-1", nil)])
        #expect(complete.gaps == [] && complete.contradictions == [])
        #expect(complete.refusal(acceptsGaps: false) == nil)
        #expect(chain([]).refusal(acceptsGaps: false) == nil)
    }

    @Test("A gap names the report that is missing, and can be accepted")
    func gap() throws {
        let gap = chain([("hanoi-3", "hanoi-2")])
        #expect(gap.gaps == ["hanoi-3.xlsx names hanoi-2 as the report before it, which is not in the folder."])
        #expect(gap.contradictions == [])
        let refusal = try #require(gap.refusal(acceptsGaps: false))
        #expect(refusal.hasPrefix("hanoi-3.xlsx names hanoi-2") && refusal.contains("--accept-gaps"))
        #expect(refusal.hasSuffix("Nothing was changed."))
        #expect(gap.refusal(acceptsGaps: true) == nil)
    }

    @Test("A report of no shop of ours, and two contents under one batch id, are never accepted")
    func strangers() throws {
        let stranger = chain([("hue-1", nil)])
        #expect(
            stranger.contradictions == ["hue-1.xlsx is of shop 'hue', which the configuration does not have."])
        let two = chain([("hanoi-2", "hanoi-1"), ("hanoi-2", "hanoi-1")], digests: ["a", "b"])
        #expect(two.contradictions == ["Two files say different things under the batch id hanoi-2."])
        for chain in [stranger, two] {
            let refusal = try #require(chain.refusal(acceptsGaps: true))
            #expect(refusal == chain.refusal(acceptsGaps: false))
            #expect(!refusal.contains("--accept-gaps") && refusal.hasSuffix("Nothing was changed."))
        }
        let same = chain([("hanoi-2", "hanoi-1"), ("hanoi-2", "hanoi-1")], digests: ["a", "a"])
        #expect(same.contradictions == [])
    }

    @Test("With both, an accepted gap is no longer named, the contradiction is")
    func both() throws {
        let both = chain([("hanoi-3", "hanoi-2"), ("hue-1", nil)])
        #expect(try #require(both.refusal(acceptsGaps: false)).contains("hanoi-2"))
        #expect(try !#require(both.refusal(acceptsGaps: true)).contains("hanoi-2"))
    }
}
