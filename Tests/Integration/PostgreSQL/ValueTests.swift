import Foundation
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    struct Values {
        private func roundTrip<T: PostgresDecodable & Equatable & Sendable>(
            _ value: PostgresValue, _ type: String, as expected: T, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                try await connection.script("CREATE TABLE stored (value \(type))")
                try await connection.execute("INSERT INTO stored VALUES ($1)", [value])
                let rows = try await connection.query("SELECT value FROM stored")
                #expect(try rows[0].decode("value", as: T.self) == expected, sourceLocation: sourceLocation)
                await connection.close()
            }
        }

        @Test(arguments: [
            "Dầu gội thảo mộc 350 ml", "quote ' and \" and $1", "back\\slash \\N \\.", "tab\tline\nreturn\r", "",
            "NULL", "{a,b}",
        ])
        func textReturnsAsItWasSent(_ text: String) async throws {
            try await roundTrip(.text(text), "text", as: text)
            try await roundTrip(.textArray([text, "x", text]), "text[]", as: [text, "x", text])
            try await roundTrip(.nullableTextArray([nil, text, nil]), "text[]", as: [nil, text, nil] as [String?])
        }

        @Test func numbersReturnAsTheyWereSent() async throws {
            try await roundTrip(.integer(.min), "bigint", as: Int64.min)
            try await roundTrip(.integer(.max), "bigint", as: Int64.max)
            try await roundTrip(.int(-42), "integer", as: -42)
            try await roundTrip(.double(0.1 + 0.2), "double precision", as: 0.1 + 0.2)
            try await roundTrip(.double(-.infinity), "double precision", as: -Double.infinity)
            let price = try #require(Decimal(string: "12345678901234567.89"))
            try await roundTrip("12345678901234567.89", "numeric", as: price)
            try await roundTrip(.integerArray([.min, 0, .max]), "bigint[]", as: [Int64.min, 0, .max])
            try await roundTrip(.nullableIntegerArray([1, nil]), "bigint[]", as: [1, nil] as [Int?])
            try await roundTrip(.doubleArray([1e300, -0.5]), "double precision[]", as: [1e300, -0.5])
        }

        @Test func bytesOfAnyContentReturnAsTheyWereSent() async throws {
            let all = [UInt8](0...255)
            try await roundTrip(.bytes(all), "bytea", as: all)
            try await roundTrip(.bytes([]), "bytea", as: [UInt8]())
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                let rows = try await connection.query(
                    "SELECT part FROM unnest($1::bytea[]) AS part", [.bytesArray([all, [], [0]])])
                #expect(try rows.map { try $0.decode("part", as: [UInt8].self) } == [all, [], [0]])
                await connection.close()
            }
        }

        @Test func momentsReturnWithTheirMicroseconds() async throws {
            let moments = [0, 1_795_298_400.123_456, -1, -62_135_596_800, 253_402_300_799.5, -70_000_000_000]
                .map { Date(timeIntervalSince1970: $0) }
            for moment in moments { try await roundTrip(.timestamp(moment), "timestamptz", as: moment) }
            try await roundTrip(.timestampArray(moments), "timestamptz[]", as: moments)
            try await roundTrip(.nullableTimestampArray([nil, moments[1]]), "timestamptz[]", as: [nil, moments[1]])
        }

        @Test func otherKindsReturnAsTheyWereSent() async throws {
            let identifiers = [UUID(), UUID()]
            try await roundTrip(.uuid(identifiers[0]), "uuid", as: identifiers[0])
            try await roundTrip(.uuidArray(identifiers), "uuid[]", as: identifiers)
            try await roundTrip(.nullableUUIDArray([nil, identifiers[0]]), "uuid[]", as: [nil, identifiers[0]])
            try await roundTrip(true, "boolean", as: true)
            try await roundTrip(.boolean(false), "boolean", as: false)
            try await roundTrip(.booleanArray([true, false]), "boolean[]", as: [true, false])
            try await roundTrip(.json(#"{"a": ["\\", "ế"]}"#), "jsonb", as: #"{"a": ["\\", "ế"]}"#)
            try await roundTrip(nil, "text", as: String?.none)
            try await roundTrip(.maybe(nil, PostgresValue.uuid), "uuid", as: UUID?.none)
            try await roundTrip(.textArray([]), "text[]", as: [String]())
        }

        @Test func aMismatchNamesColumnRowAndTypeButNotTheValue() async throws {
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                let rows = try await connection.query("SELECT 'secret' AS word, NULL AS nothing")
                #expect(throws: PostgresError.undecodable(column: "word", row: 0, expected: "Int", wasNull: false)) {
                    try rows[0].decode("word", as: Int.self)
                }
                #expect(
                    throws: PostgresError.undecodable(column: "nothing", row: 0, expected: "String", wasNull: true)
                ) { try rows[0].decode("nothing", as: String.self) }
                #expect(throws: PostgresError.noSuchColumn("wor")) { try rows[0].decode("wor", as: String.self) }
                #expect(rows.columnNames == ["word", "nothing"])
                await connection.close()
            }
        }

        @Test func sessionsReadTimesInUTCWhateverTheRoleIsSetTo() async throws {
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                let rows = try await connection.query(
                    "SELECT timestamptz '2026-11-21 06:00+07' AS t, current_schema() AS s")
                #expect(try rows[0].decode("t", as: String.self) == "2026-11-20 23:00:00+00")
                #expect(try rows[0].decode("s", as: String.self) == scratch.schema)
                await connection.close()
            }
        }
    }
}
