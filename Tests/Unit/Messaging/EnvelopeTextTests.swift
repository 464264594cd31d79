import Foundation
import Testing

@testable import Messaging

/// What is written by hand for speed, against Foundation, which it stands in for.
@Suite("Texts of the envelope")
struct EnvelopeTextTests {
    private let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    @Test(
        arguments: [
            0, -0.001, 0.999, 951_782_400.5, 951_868_799.999, 1_795_241_096.25, 4_107_542_399.001, -2_208_988_800.75,
            253_402_300_799.999,
        ])
    func aTimeIsWrittenAndReadAsFoundationDoes(seconds: Double) throws {
        let time = Date(timeIntervalSince1970: seconds)
        let text = EventTime.text(time)
        let back = try #require(EventTime.parse(text))
        #expect(abs(back.timeIntervalSince(time)) < 0.000_5)
        #expect(try abs(style.parse(text).timeIntervalSince(back)) < 0.000_001)
        #expect(text.utf8.count == 24 && text.hasSuffix("Z"))
    }

    @Test func aTimeRoundsToTheNearestMillisecondAcrossASecond() {
        #expect(EventTime.text(Date(timeIntervalSince1970: 1_795_241_095.9996)) == "2026-11-21T06:04:56.000Z")
    }

    @Test(arguments: ["2026-11-21T06:00:00Z", "2026-11-21T13:00:00+07:00"])
    func otherFormsOfATimeAreReadToo(text: String) {
        #expect(EventTime.parse(text) == Date(timeIntervalSince1970: 1_795_240_800))
    }

    @Test(arguments: ["", "yesterday", "2026-11-21", "2026-11-21T06:00:00.000"])
    func whatIsNoTimeIsNotRead(text: String) { #expect(EventTime.parse(text) == nil) }

    @Test func aDayThatDoesNotExistIsNotCountedOn() {
        // Whatever Foundation makes of it, our own reader does not turn it into 1 March.
        #expect(EventTime.parse("2026-02-29T06:00:00.000Z") == (try? style.parse("2026-02-29T06:00:00.000Z")))
    }

    @Test func idsAreRandomUUIDsAndNeverTheSame() {
        let ids = (0..<1_000).map { _ in RandomBytes.uuid() }
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(id.uuid.6 >> 4 == 4 && id.uuid.8 >> 6 == 2)
            #expect(id.lowercasedText == id.uuidString.lowercased())
        }
    }

    @Test func aChildKeepsTraceAndFlagsAndGetsASpanOfItsOwn() {
        let parent = TraceContext(parent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", state: "a=b")
        let child = parent.child()
        #expect(child.parent.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") && child.parent.hasSuffix("-00"))
        #expect(child.parent.count == 55 && child.parent != parent.parent && child.state == "a=b")
    }

    @Test(arguments: ["", "00-short-00f067aa0ba902b7-01", "nonsense"])
    func aTraceThatIsNoneBeginsAnew(parent: String) {
        let child = TraceContext(parent: parent).child()
        #expect(child.parent.hasPrefix("00-") && child.parent.hasSuffix("-01") && child.parent.count == 55)
        #expect(child.parent.utf8.dropFirst(3).allSatisfy { "0123456789abcdef-".utf8.contains($0) })
    }
}
