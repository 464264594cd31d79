import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    struct Pipelines {
        @Test func aPipelineAnswersEachStatementInOrder() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let answers = try await pool.transaction { tx in
                    try tx.script("CREATE TABLE t (n bigint)")
                    return try tx.pipeline([
                        Statement("INSERT INTO t SELECT generate_series(1, $1::bigint)", [3]),
                        Statement("SELECT n FROM t WHERE n > $1 ORDER BY n", [1]),
                        Statement("SELECT n FROM t WHERE n > $1 ORDER BY n", [2]),
                        Statement("DELETE FROM t"),
                    ])
                }
                #expect(answers.map(\.affectedRows) == [3, 2, 1, 3])
                #expect(try answers[1].map { try $0.decode("n", as: Int.self) } == [2, 3])
                await pool.close()
            }
        }

        @Test func anErrorInAPipelineNamesItsStatementAndUndoesAll() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                try await pool.transaction { try $0.script("CREATE TABLE t (n bigint PRIMARY KEY)") }
                let insert = "INSERT INTO t VALUES ($1)"
                let error = await postgresError {
                    try await pool.transaction { tx in
                        try tx.pipeline([
                            Statement(insert, [1]), Statement(insert, [1]), Statement("SELECT no_such_column FROM t"),
                            Statement(insert, [2]),
                        ])
                    }
                }
                #expect(error?.isUniqueViolation == true)
                #expect(error?.serverError?.statementIndex == 1)
                #expect(try await pool.query("SELECT n FROM t").isEmpty)
                // What was to be prepared after the failure must not count as prepared.
                let missing = await postgresError { try await pool.query("SELECT no_such_column FROM t") }
                #expect(missing?.sqlState == "42703")
                await pool.close()
            }
        }

        @Test func moreStatementsThanAreKeptPreparedAllWork() async throws {
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                for round in 1...2 {
                    for number in 1...(Session.preparedLimit + 50) {
                        let rows = try await connection.query("SELECT \(number) AS n, $1::int AS round", [.int(round)])
                        #expect(try rows[0].decode("n", as: Int.self) == number)
                    }
                }
                let kept = try await connection.query("SELECT count(*) AS n FROM pg_prepared_statements")
                #expect(try kept[0].decode("n", as: Int.self) <= Session.preparedLimit)
                await connection.close()
            }
        }

        @Test func aPipelineLargerThanTheSocketBuffersDoesNotBlock() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let text = String(repeating: "x", count: 100_000)
                let sizes = try await pool.transaction { tx in
                    try tx.pipeline((0..<200).map { _ in Statement("SELECT $1::text AS t", [.text(text)]) })
                        .map { try $0[0].decode("t", as: String.self).utf8.count }
                }
                #expect(sizes == Array(repeating: 100_000, count: 200))
                await pool.close()
            }
        }

        @Test func aZeroByteInTextIsRefusedBeforeAnythingIsSent() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let error = await postgresError { try await pool.query("SELECT $1, $2", ["a", "b\0c"]) }
                guard case .invalidParameter(position: 2, _) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(try await pool.query("SELECT 1").count == 1)
                await pool.close()
            }
        }
    }
}
