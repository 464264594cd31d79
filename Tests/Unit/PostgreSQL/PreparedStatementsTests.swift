import Testing

@testable import PostgreSQL

struct PreparedStatementsTests {
    @Test func aStatementIsPreparedOnce() {
        var statements = PreparedStatements(limit: 2)
        statements.beginRound()
        #expect(statements.use("a") == .new("s1"))
        #expect(statements.use("a") == .known("s1"))
        statements.forget("a")
        #expect(statements.use("a") == .new("s2"))
    }

    @Test func theOneUsedLongestAgoGoesFirst() {
        var statements = PreparedStatements(limit: 2)
        for sql in ["a", "b", "a", "c"] {
            statements.beginRound()
            _ = statements.use(sql)
        }
        #expect(statements.discarded == ["s2"])
        #expect(statements.use("a") == .known("s1"))
        statements.wasDeallocated("s2")
        #expect(statements.discarded.isEmpty)
    }

    @Test func nothingUsedInTheSamePipelineIsDiscarded() {
        var statements = PreparedStatements(limit: 2)
        statements.beginRound()
        for sql in ["a", "b", "c"] { _ = statements.use(sql) }
        #expect(statements.discarded.isEmpty)
        #expect(statements.count == 3)
        statements.beginRound()
        _ = statements.use("d")
        #expect(statements.count == 2)
        #expect(statements.discarded.count == 2)
    }
}
