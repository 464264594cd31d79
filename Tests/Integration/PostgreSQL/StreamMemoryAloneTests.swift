import TestStack
import Testing

@testable import PostgreSQL

/// What it measures is the whole process's, so nothing else may run beside it.
@Suite(.timeLimit(.minutes(20)))
struct StreamMemoryAloneTests {
    @Test func twoHundredThousandRowsAreReadWithFlatMemory() async throws {
        try await withScratch { scratch async throws in
            let pool = scratch.pool(1)
            let query = "SELECT n, repeat('x', 200) AS filler FROM generate_series(1, $1::int) AS n"
            let (sum, growth) = try await pool.transaction { tx in
                var sum = 0
                // The first rows make what is kept anyway.
                try tx.forEachRow(query, [2000]) { sum += try $0.decode("n", as: Int.self) }
                sum = 0
                let before = ResidentMemory.bytes()
                var highest = before
                try tx.forEachRow(query, [200_000]) { row in
                    sum += try row.decode("n", as: Int.self)
                    if row.index == 0 { highest = max(highest, ResidentMemory.bytes()) }
                }
                return (sum, highest - before)
            }
            #expect(sum == 20_000_100_000)
            // In memory as a whole the answer would take more than 40 MB.
            #expect(growth < 4_000_000, "grew by \(growth) bytes")
            await pool.close()
        }
    }
}
