import Foundation
import ProcessStack
import TestStack
import Testing

@Suite("A configuration with mistakes")
struct ConfigurationMistakeTests {
    private static let mistakes = [
        ("company: Hoa Sen Care ", "compny: Hoa Sen Care "),
        ("port: 5671 ", "port: 567100 "),
        ("cron: \"0 6 * * *\" ", "cron: \"0 25 * * *\" "),
        ("duplicates: reject ", "duplicates: ignore "),
        ("max_to_zero: 0.3 ", "max_to_zero: 30 "),
    ]

    @Test("Five mistakes are all reported at once, with their lines, and the exit code is 2")
    func fiveMistakes() async throws {
        let example = Repository.path("infra/stockbridge.example.yaml")
        var lines = try String(contentsOfFile: example, encoding: .utf8).components(separatedBy: "\n")
        var wrong: [Int] = []
        for (right, mistake) in Self.mistakes {
            let index = try #require(lines.firstIndex { $0.contains(right) }, "the example says '\(right)'")
            lines[index] = lines[index].replacing(right, with: mistake)
            wrong.append(index + 1)
        }
        let result = try await Tool.run("stockbridge.yaml", lines.joined(separator: "\n"), ["config", "check"])
        #expect(result.status == 2)
        for line in wrong { #expect(result.text.contains("stockbridge.yaml:\(line):"), "line \(line)") }
        #expect(result.text.contains("compny"))
        #expect(result.text.contains("6 problems"), "the missing company is one, the strange word another")
    }
}
