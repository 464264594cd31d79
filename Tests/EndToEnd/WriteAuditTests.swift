import Testing

@testable import ProcessStack

@Suite("What the tests themselves go by")
struct WriteAuditTests {
    @Test(
        "An older level after a newer one is noticed; a level that comes back is none",
        arguments: [
            ([5, 4, 5], [5, 4, 5], nil), ([5, 5, 4], [5, 4], nil), ([5, 4, 3], [5, 3], nil), ([5], [], nil),
            ([5, 4], [4, 5], 5), ([5, 4, 3], [5, 3, 4], 4), ([5], [7], 7),
        ] as [([Int], [Int], Int?)])
    func staleWrites(history: [Int], writes: [Int], stale: Int?) {
        #expect(WriteAudit.firstStale(writes, history: history) == stale)
    }
}
