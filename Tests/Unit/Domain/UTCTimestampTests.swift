import Domain
import Foundation
import Testing

@Suite("Moments as text")
struct UTCTimestampTests {
    @Test(arguments: [
        (Double(Int64.max), "9999-12-31T23:59:59Z"), (-1e300, "0001-01-01T00:00:00Z"),
        (.infinity, "9999-12-31T23:59:59Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (0.25, "1970-01-01T00:00:00.25Z"),
    ])
    func `a moment outside the calendar is written as its end`(seconds: Double, text: String) {
        #expect(UTCTimestamp.format(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `there is no year 0`() {
        #expect(UTCTimestamp.parse("0000-02-29T00:00:00Z") == nil && UTCTimestamp.parse("0001-01-01T00:00:00Z") != nil)
    }
}
