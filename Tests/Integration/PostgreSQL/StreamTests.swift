import Foundation
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    struct Streams {
        @Test func aHundredThousandRowsAreCopied() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let count = try await pool.transaction { tx in
                    try tx.script("CREATE TABLE staging (sku text, units bigint, price double precision, note text)")
                    return try tx.copy(
                        into: "\(scratch.schema).staging", columns: ["sku", "units", "price", "note"]
                    ) { writer in
                        for number in 0..<100_000 {
                            writer.text("SKU-\(number)")
                            writer.integer(number)
                            writer.double(Double(number) / 4)
                            writer.text(number % 2 == 0 ? nil : "Dầu gội\t\(number)\\")
                            try writer.endRow()
                        }
                    }
                }
                #expect(count == 100_000)
                let sums = try await pool.query(
                    "SELECT sum(units)::bigint AS units, sum(price) AS price, count(note) AS notes FROM staging")
                #expect(try sums[0].decode("units", as: Int.self) == 4_999_950_000)
                #expect(try sums[0].decode("price", as: Double.self) == 4_999_950_000 / 4)
                #expect(try sums[0].decode("notes", as: Int.self) == 50_000)
                let one = try await pool.query("SELECT note FROM staging WHERE units = 4711")
                #expect(try one[0].decode("note", as: String.self) == "Dầu gội\t4711\\")
                await pool.close()
            }
        }

        @Test func everyKindOfCellIsCopied() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let moment = Date(timeIntervalSince1970: 1_795_298_400.25)
                let identifier = UUID()
                let long = String(repeating: "\\\n\r\t", count: 25_000)
                let rows = try await pool.transaction { tx in
                    try tx.script(
                        "CREATE TABLE t (a text, b bytea, c jsonb, d timestamptz, e uuid, f bool, g text[], h text)")
                    try tx.copy(into: "t", columns: []) { writer in
                        writer.text(long)
                        writer.bytes([UInt8](0...255))
                        writer.json(#"{"a": "\n\\"}"#)
                        writer.timestamp(moment)
                        writer.uuid(identifier)
                        writer.boolean(true)
                        writer.value(.nullableTextArray([nil, "a\"\\\t\r"]))
                        writer.null()
                        try writer.endRow()
                    }
                    return try tx.query("SELECT * FROM t")
                }
                #expect(try rows[0].decode("a", as: String.self) == long)
                #expect(try rows[0].decode("b", as: [UInt8].self) == [UInt8](0...255))
                #expect(try rows[0].decode("c", as: String.self) == #"{"a": "\n\\"}"#)
                #expect(try rows[0].decode("d", as: Date.self) == moment)
                #expect(try rows[0].decode("e", as: UUID.self) == identifier)
                #expect(try rows[0].decode("f", as: Bool.self))
                #expect(try rows[0].decode("g", as: [String?].self) == [nil, "a\"\\\t\r"])
                #expect(try rows[0].decode("h", as: String?.self) == nil)
                await pool.close()
            }
        }

        @Test func aCopyThatIsGivenUpLeavesNothing() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                try await pool.transaction { try $0.script("CREATE TABLE t (n bigint)") }
                await #expect(throws: Deliberate.self) {
                    try await pool.transaction { tx in
                        try tx.copy(into: "t", columns: ["n"]) { writer in
                            for number in 0..<50_000 {
                                writer.integer(number)
                                try writer.endRow()
                            }
                            throw Deliberate()
                        }
                    }
                }
                #expect(try await pool.query("SELECT n FROM t LIMIT 1").isEmpty)
                await pool.close()
            }
        }

        @Test func whatTheServerRefusesInACopyIsReported() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                try await pool.transaction { try $0.script("CREATE TABLE t (n bigint)") }
                let malformed = await postgresError {
                    try await pool.transaction { tx in
                        try tx.copy(into: "t", columns: ["n"]) { writer in
                            writer.text("secret")
                            try writer.endRow()
                        }
                    }
                }
                #expect(malformed?.sqlState == "22P02")
                #expect(malformed?.description.contains("secret") == false)
                let busy = await postgresError {
                    try await pool.transaction { tx in
                        try tx.copy(into: "t", columns: ["n"]) { _ in try tx.execute("SELECT 1") }
                    }
                }
                #expect(busy == .wrongState("a COPY is under way on this connection"))
                let unfinished = await postgresError {
                    try await pool.transaction { tx in
                        try tx.copy(into: "t", columns: ["n"]) { $0.integer(1) }
                    }
                }
                #expect(unfinished == .wrongState("a COPY was ended in the middle of a row"))
                await pool.close()
            }
        }

        @Test func otherStatementsRunWhileRowsAreRead() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let pairs = try await pool.transaction { tx in
                    try tx.script("CREATE TABLE t (n bigint)")
                    try tx.forEachRow("SELECT generate_series(1, 2500) AS n") { row in
                        let number: Int = try row.decode("n")
                        if number % 500 == 0 {
                            try tx.execute("INSERT INTO t VALUES ($1)", [.int(number)])
                            try tx.forEachRow("VALUES (1), (2)") { _ in try tx.execute("INSERT INTO t VALUES (0)") }
                        }
                    }
                    // A body that stops early leaves the transaction usable.
                    #expect(throws: Deliberate.self) {
                        try tx.forEachRow("SELECT generate_series(1, 2500)") { _ in throw Deliberate() }
                    }
                    return try tx.query("SELECT count(*) AS n, max(n) AS highest FROM t")
                }
                #expect(try pairs[0].decode("n", as: Int.self) == 15)
                #expect(try pairs[0].decode("highest", as: Int.self) == 2500)
                await pool.close()
            }
        }
    }
}
