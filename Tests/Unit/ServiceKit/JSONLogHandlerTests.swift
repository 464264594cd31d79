import Foundation
import Logging
import Testing

@testable import ServiceKit

@Suite("Log lines are JSON whatever is in them")
struct JSONLogHandlerTests {
    private func line(_ message: String, metadata: Logger.Metadata = [:], own: Logger.Metadata = [:]) -> String {
        var handler = JSONLogHandler(label: "notifier", level: .info)
        handler.metadata = own
        let event = LogEvent(
            level: .warning, message: "\(message)", metadata: metadata, source: "test", file: "f", function: "g",
            line: 1)
        return handler.line(for: event, at: Date(timeIntervalSince1970: 1_795_000_000.25))
    }

    private func object(_ line: String) throws -> [String: String] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    }

    @Test("time, level, service and message stand first, metadata after them by name")
    func shape() {
        #expect(
            line("queue paused", metadata: ["shop": "hanoi", "code": "7"]) == """
                {"time":"2026-11-18T11:06:40.250Z","level":"warning","service":"notifier","message":"queue paused",\
                "code":"7","shop":"hanoi"}

                """)
    }

    @Test(
        "quotes, backslashes, line breaks and control characters cannot break a line",
        arguments: ["say \"no\"", "C:\\new", "one\ntwo\r\nthree\tfour", "\u{0}\u{1B}[31m\u{1F}", "Tồn kho 🧴", ""])
    func escaping(text: String) throws {
        let line = line(text, metadata: ["problem": "\(text)"])
        #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("}\n"))
        let read = try object(line)
        #expect(read["message"] == text && read["problem"] == text)
    }

    @Test("what a call says overrides what the logger carries")
    func overriding() throws {
        let read = try object(line("x", metadata: ["queue": "new"], own: ["queue": "old", "shop": "hanoi"]))
        #expect(read["queue"] == "new" && read["shop"] == "hanoi")
    }
}
