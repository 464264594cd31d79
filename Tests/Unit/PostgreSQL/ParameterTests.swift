import Foundation
import Testing

@testable import PostgreSQL

struct ParameterTests {
    private func text(_ value: PostgresValue) throws -> String? {
        let block = try ParameterBlock([value])
        return block.withPointers { pointers in pointers[0].map { String(cString: $0) } }
    }

    private static let scalars: [(PostgresValue, String)] = [
        (.text("a'b\"c\\d"), "a'b\"c\\d"), (.integer(.min), "-9223372036854775808"),
        (.integer(.max), "9223372036854775807"), (0, "0"), (true, "t"), (false, "f"), (.double(0.1), "0.1"),
        (.double(1e300), "1e+300"), (.double(.nan), "nan"), (.json("{}"), "{}"),
        (
            .uuid(UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255))),
            "00010203-0405-0607-0809-0a0b0c0d0eff"
        ),
    ]

    @Test(arguments: scalars)
    func aValueIsSentAsPostgreSQLReadsIt(_ value: PostgresValue, _ expected: String) throws {
        #expect(try text(value) == expected)
    }

    private static let arrays: [(PostgresValue, String)] = [
        (.textArray([]), "{}"), (.textArray(["", "NULL", "a,b", "{x}"]), #"{"","NULL","a,b","{x}"}"#),
        (.textArray([#"q"\"#]), #"{"q\"\\"}"#), (.nullableTextArray([nil, "NULL", nil]), #"{NULL,"NULL",NULL}"#),
        (.integerArray([1, -2]), "{1,-2}"), (.nullableIntegerArray([nil, 7]), "{NULL,7}"), (.intArray([3]), "{3}"),
        (.textArray([#"\"#]), #"{"\\"}"#), (.booleanArray([true, false]), "{t,f}"), (.doubleArray([0.5]), "{0.5}"),
        (.nullableTimestampArray([nil, Date(timeIntervalSince1970: 0)]), #"{NULL,"1970-01-01 00:00:00+00"}"#),
        (.bytesArray([[0, 255], []]), #"{"\\x00ff","\\x"}"#),
    ]

    @Test(arguments: arrays)
    func anArrayIsSentAsALiteral(_ value: PostgresValue, _ expected: String) throws {
        #expect(try text(value) == expected)
    }

    @Test func nullHasNoTextAndBytesGoInBinary() throws {
        let block = try ParameterBlock([.null, .bytes([0, 1]), "x", .bytes([])])
        #expect(block.formats == [0, 1, 0, 1])
        #expect(block.lengths == [0, 2, 1, 0])
        block.withPointers { pointers in
            #expect(pointers.map { $0 == nil } == [true, false, false, false])
            #expect(pointers[1].map { [$0[0], $0[1]] } == [0, 1])
        }
    }

    @Test func whatCannotBeSentIsNamedByItsPosition() {
        let reasons = (
            zero: "PostgreSQL cannot store a zero byte in text",
            date: "a date is not finite or out of PostgreSQL's range"
        )
        #expect(throws: PostgresError.invalidParameter(position: 2, reason: reasons.zero)) {
            try ParameterBlock(["a", "b\0c"])
        }
        #expect(throws: PostgresError.invalidParameter(position: 1, reason: reasons.zero)) {
            try ParameterBlock([.textArray(["\0"])])
        }
        for date in [Date(timeIntervalSince1970: .infinity), Date(timeIntervalSince1970: 1e13)] {
            #expect(throws: PostgresError.invalidParameter(position: 1, reason: reasons.date)) {
                try ParameterBlock([.timestamp(date)])
            }
            #expect(throws: PostgresError.invalidParameter(position: 1, reason: reasons.date)) {
                try ParameterBlock([.timestampArray([date])])
            }
        }
        #expect(throws: PostgresError.self) { try ParameterBlock(Array(repeating: 1, count: 65_536)) }
    }
}
