import Foundation
import Testing

@testable import RabbitMQ

@Suite("Timestamps of the wire")
struct WireTimestampTests {
    @Test func `whole seconds come back, and what no calendar has becomes its nearest end`() {
        for seconds in [0, 1_700_000_000, -5] as [Double] {
            let date = Date(timeIntervalSince1970: seconds)
            #expect(Date(wireSeconds: date.wireSeconds) == date)
        }
        #expect(Date(wireSeconds: UInt64(Int64.max)).timeIntervalSince1970 == 253_402_300_799)
        #expect(Date(wireSeconds: 1 << 63).timeIntervalSince1970 == -62_135_596_800)
    }
}
