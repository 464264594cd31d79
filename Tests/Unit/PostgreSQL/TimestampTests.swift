import Foundation
import Testing

@testable import PostgreSQL

struct TimestampTests {
    private func written(_ date: Date) -> String? {
        var buffer = ByteBuffer()
        return buffer.append(date) ? String(decoding: buffer.bytes, as: UTF8.self) : nil
    }

    private func read(_ text: String) -> Date? {
        Array(text.utf8).withUnsafeBytes { TimestampText(text: $0)?.date }
    }

    @Test(
        arguments: [
            (0, "1970-01-01 00:00:00+00"), (-1, "1969-12-31 23:59:59+00"), (-0.5, "1969-12-31 23:59:59.500000+00"),
            (1_795_240_800.000_001, "2026-11-21 06:00:00.000001+00"), (951_782_400, "2000-02-29 00:00:00+00"),
            (4_107_542_400, "2100-03-01 00:00:00+00"), (253_402_300_800, "10000-01-01 00:00:00+00"),
            (-62_135_596_800, "0001-01-01 00:00:00+00"), (-62_135_596_801, "0001-12-31 23:59:59+00 BC"),
            (1.999_999_9, "1970-01-01 00:00:02+00"),
        ] as [(Double, String)])
    func aMomentIsWrittenInUTCToTheMicrosecond(_ seconds: Double, _ expected: String) {
        #expect(written(Date(timeIntervalSince1970: seconds)) == expected)
    }

    @Test func whatPostgreSQLCannotStoreIsNotWritten() {
        for seconds in [Double.nan, .infinity, -.infinity, 9_224_318_016_000, -210_866_803_201] {
            #expect(written(Date(timeIntervalSince1970: seconds)) == nil)
        }
    }

    @Test(arguments: [
        ("2026-11-21 06:00:00.25+00", 1_795_240_800.25), ("2026-11-21 13:00:00+07", 1_795_240_800),
        ("2026-11-21 00:30:00-05:30", 1_795_240_800), ("2026-11-21 06:00:00", 1_795_240_800),
        ("2026-11-21", 1_795_219_200), ("0001-12-31 23:59:59+00 BC", -62_135_596_801),
        ("0001-12-31 BC", -62_135_683_200),
    ])
    func whatTheServerWritesIsRead(_ text: String, _ seconds: Double) {
        #expect(read(text) == Date(timeIntervalSince1970: seconds))
    }

    @Test(arguments: [
        "", "infinity", "-infinity", "2026", "2026-13-01", "2026-11-21x", "2026-11-21 06", "2026-11-21 06:00:00.+00",
        "2026-11-21 06:00:00.1234567", "2026-11-21 06:00:00+", "0000-01-01",
    ])
    func anythingElseIsRefused(_ text: String) {
        #expect(read(text) == nil)
    }

    @Test func everyMicrosecondOfOurTimesSurvives() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let microseconds = Int64.random(in: 0..<4_102_444_800_000_000, using: &generator)
            let date = TimestampText(microseconds: microseconds).date
            #expect(TimestampText(date)?.microseconds == microseconds)
            #expect(written(date).flatMap(read) == date)
        }
    }

    @Test func daysAndDatesAreEachOthersInverse() {
        for day in stride(from: Int64(-800_000), through: 3_000_000, by: 997) {
            #expect(CivilDate(dayNumber: day).dayNumber == day)
        }
        #expect(CivilDate(dayNumber: 0) == CivilDate(year: 1970, month: 1, day: 1))
    }
}
