import Dispatch
import Synchronization
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    struct Transactions {
        private func withTable(_ body: (PostgresPool) async throws -> Void) async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool()
                try await pool.transaction { tx in
                    try tx.script(
                        """
                        CREATE TABLE item (sku text CONSTRAINT item_key PRIMARY KEY, units bigint CHECK (units >= 0));
                        INSERT INTO item VALUES ('A', 1), ('B', 2);
                        """)
                }
                try await body(pool)
                await pool.close()
            }
        }

        private func units(_ pool: PostgresPool, _ sku: String) async throws -> Int? {
            try await pool.query("SELECT units FROM item WHERE sku = $1", [.text(sku)]).first?.decode("units")
        }

        @Test func aBodyThatThrowsLeavesNothing() async throws {
            try await withTable { pool async throws in
                await #expect(throws: Deliberate.self) {
                    try await pool.transaction { tx in
                        try tx.execute("UPDATE item SET units = 9")
                        throw Deliberate()
                    }
                }
                #expect(try await units(pool, "A") == 1)
            }
        }

        @Test func affectedRowsAreCounted() async throws {
            try await withTable { pool async throws in
                let counts = try await pool.transaction { tx in
                    [try tx.execute("UPDATE item SET units = 5"), try tx.execute("DELETE FROM item WHERE sku = 'C'")]
                }
                #expect(counts == [2, 0])
                #expect(try await units(pool, "B") == 5)
            }
        }

        @Test func violationsAreRecognisedAndTellNoValues() async throws {
            try await withTable { pool async throws in
                let double = await postgresError {
                    try await pool.transaction { try $0.execute("INSERT INTO item VALUES ($1, 1)", ["A"]) }
                }
                #expect(double?.isUniqueViolation == true)
                #expect(double?.serverError?.constraint == "item_key")
                #expect(double?.serverError?.table == "item")
                #expect(double?.description.contains("(A)") == false)
                let negative = await postgresError {
                    try await pool.query("INSERT INTO item VALUES ('C', -1)", [])
                }
                #expect(negative?.isCheckViolation == true)
                let malformed = await postgresError { try await pool.query("SELECT $1::bigint", ["secret"]) }
                #expect(malformed?.sqlState == "22P02")
                #expect(malformed?.description.contains("secret") == false)
            }
        }

        @Test func aSwallowedErrorDoesNotPassForACommit() async throws {
            try await withTable { pool async throws in
                let error = await postgresError {
                    try await pool.transaction { tx in
                        try tx.execute("UPDATE item SET units = 9")
                        _ = try? tx.execute("SELECT 1 / 0")
                    }
                }
                #expect(error == .transactionAborted(cause: error?.serverError))
                #expect(error?.sqlState == "22012")
                #expect(try await units(pool, "A") == 1)
            }
        }

        @Test func aDeadlockIsRunAgain() async throws {
            try await withTable { pool async throws in
                let meeting = Meeting()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (from, to) in [("A", "B"), ("B", "A")] {
                        group.addTask {
                            try await pool.transaction { tx in
                                try tx.script("SET LOCAL deadlock_timeout = '50ms'")
                                let increment = "UPDATE item SET units = units + 1 WHERE sku = $1"
                                try tx.execute(increment, [.text(from)])
                                meeting.wait()
                                try tx.execute(increment, [.text(to)])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(meeting.arrivals >= 3)
                #expect(try await units(pool, "A") == 3)
                #expect(try await units(pool, "B") == 4)
            }
        }

        @Test func aSerializationFailureIsRunAgainOnlySoOften() async throws {
            try await withTable { pool async throws in
                let attempts = Atomic(0)
                let error = await postgresError {
                    try await pool.transaction { tx in
                        attempts.add(1, ordering: .relaxed)
                        try tx.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
                    }
                }
                #expect(error?.isConflict == true)
                #expect(attempts.load(ordering: .relaxed) == 6)
            }
        }

        @Test func aConflictFoundAtCommitIsRunAgain() async throws {
            try await withTable { pool async throws in
                try await pool.transaction { tx in
                    try tx.script(
                        """
                        CREATE SEQUENCE tries;
                        CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                            IF nextval('tries') < 3 THEN RAISE SQLSTATE '40001'; END IF; RETURN NULL; END $$;
                        CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON item DEFERRABLE INITIALLY DEFERRED
                            FOR EACH ROW EXECUTE FUNCTION conflict();
                        """)
                }
                let attempts = Atomic(0)
                try await pool.transaction { tx in
                    attempts.add(1, ordering: .relaxed)
                    try tx.execute("UPDATE item SET units = 7 WHERE sku = 'A'")
                }
                #expect(attempts.load(ordering: .relaxed) == 3)
                #expect(try await units(pool, "A") == 7)
            }
        }

        @Test func aStatementGoneStaleIsParsedAnew() async throws {
            try await withTable { pool async throws in
                let before = try await pool.transaction { try $0.query("SELECT * FROM item").columnNames.count }
                try await pool.transaction { try $0.script("ALTER TABLE item ADD note text") }
                let after = try await pool.transaction { try $0.query("SELECT * FROM item").columnNames.count }
                #expect([before, after] == [2, 3])
            }
        }

        @Test func anEmptyTransactionSendsNothing() async throws {
            try await withTable { pool async throws in
                #expect(try await pool.transaction { _ in 1 } == 1)
                #expect(try await units(pool, "A") == 1)
            }
        }

        @Test func aTransactionEndedByItsOwnBodyIsReported() async throws {
            try await withTable { pool async throws in
                let error = await postgresError {
                    try await pool.transaction { tx in
                        try tx.execute("UPDATE item SET units = 9")
                        try tx.script("ROLLBACK")
                    }
                }
                guard case .wrongState = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(try await units(pool, "A") == 1)
            }
        }

        @Test func anExclusiveConnectionMayAwaitBetweenItsStatements() async throws {
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                try await connection.script("CREATE TABLE t (n bigint)")
                try await connection.begin()
                try await connection.execute("INSERT INTO t VALUES (1)")
                await Task.yield()
                try await connection.commit()
                try await connection.begin()
                try await connection.execute("INSERT INTO t VALUES (2)")
                await connection.rollback()
                #expect(try await connection.query("SELECT n FROM t").map { try $0.decode("n", as: Int.self) } == [1])
                await connection.close()
                #expect(await postgresError { try await connection.query("SELECT 1") } == .poolClosed)
            }
        }
    }
}

/// Where the first who arrives waits for the second, at most five seconds; later ones pass.
private final class Meeting: Sendable {
    private let arrived = Atomic(0)
    private let door = DispatchSemaphore(value: 0)

    var arrivals: Int { arrived.load(ordering: .sequentiallyConsistent) }

    func wait() {
        switch arrived.add(1, ordering: .sequentiallyConsistent).newValue {
        case 1: _ = door.wait(timeout: .now() + 5)
        case 2: door.signal()
        default: break
        }
    }
}
