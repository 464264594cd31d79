import Testing

@testable import Stockbridge

@Suite("Whether a folder of reports can be all that was mailed since a backup")
struct ReportChainTests {
    private func problems(
        _ files: [(batch: String, previous: String?)], sent: Set<String> = ["hanoi-1"], digests: [String] = []
    ) -> [String] {
        ReportChain.problems(
            files.enumerated().map { index, file in
                (
                    "\(file.batch).xlsx", file.batch, String(file.batch.prefix { $0 != "-" }), file.previous,
                    index < digests.count ? digests[index] : file.batch
                )
            }, shops: ["hanoi", "saigon"], sent: sent)
    }

    @Test("Each report follows one that is known, or is its shop's first")
    func complete() {
        #expect(problems([("hanoi-2", "hanoi-1"), ("hanoi-3", "hanoi-2"), ("saigon-1", nil)]) == [])
        #expect(problems([]) == [])
    }

    @Test("A gap names the report that is missing")
    func gap() {
        #expect(
            problems([("hanoi-3", "hanoi-2")]) == [
                "hanoi-3.xlsx names hanoi-2 as the report before it, which is not in the folder."
            ])
    }

    @Test("A report of no shop of ours, and two contents under one batch id")
    func strangers() {
        #expect(
            problems([("hue-1", nil)]) == ["hue-1.xlsx is of shop 'hue', which the configuration does not have."])
        #expect(
            problems([("hanoi-2", "hanoi-1"), ("hanoi-2", "hanoi-1")], digests: ["a", "b"]) == [
                "Two files say different things under the batch id hanoi-2."
            ])
        #expect(problems([("hanoi-2", "hanoi-1"), ("hanoi-2", "hanoi-1")], digests: ["a", "a"]) == [])
    }
}
