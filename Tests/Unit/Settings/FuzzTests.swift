import Foundation
import Testing

@testable import Settings

/// A small generator with a seed, so that a failing case can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

@Suite("Whatever the file says, the loader answers and does not stop the process")
struct FuzzTests {
    private static let pieces: [String] = [
        "\t", "\n", "\r", ":", "- ", "[", "]", "{", "}", "\"", "'", "|\n", ">\n", "&a ", "*a", "!!int ", "? ", "<<: *a",
        "${", "}", "~", "null", "-1", "1e999", ".nan", "99999999999999999999", "\u{0}", "\u{85}", "\u{2028}",
        "\u{FEFF}",
        "\u{E0D7}", "é", "%YAML 1.1\n", "---\n", "...\n", "company: x\n", "(?<a", "\\", "*/0 * * * *", "#",
    ]

    /// Cuts, copies, drops and inserts pieces of the text.
    private static func mutate(_ text: [Unicode.Scalar], using generator: inout SeededGenerator) -> [Unicode.Scalar] {
        var result = text
        for _ in 0..<Int.random(in: 1...6, using: &generator) where !result.isEmpty {
            let start = Int.random(in: 0..<result.count, using: &generator)
            let end = min(result.count, start + Int.random(in: 0...40, using: &generator))
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: result.removeSubrange(start..<end)
            case 1:
                result.insert(
                    contentsOf: Array(result[start..<end]), at: Int.random(in: 0...result.count, using: &generator))
            case 2: result.removeSubrange(end...)
            case 3:
                // A whole line twice, or gone: what people do.
                let lineEnd = result[start...].firstIndex(of: "\n") ?? result.count
                let lineStart = result[..<start].lastIndex(of: "\n").map { $0 + 1 } ?? 0
                guard lineStart < lineEnd else { continue }
                if Bool.random(using: &generator) {
                    result.insert(contentsOf: Array(result[lineStart..<lineEnd]) + ["\n"], at: lineStart)
                } else {
                    result.removeSubrange(lineStart..<lineEnd)
                }
            default:
                let piece = pieces.randomElement(using: &generator) ?? ""
                result.insert(contentsOf: Array(piece.unicodeScalars), at: start)
            }
        }
        return result
    }

    @Test("seeded changes of the example are loaded or refused with a problem", arguments: 0..<8)
    func mutations(_ round: Int) throws {
        let example = Array(try exampleText().unicodeScalars)
        for number in 0..<40 {
            let seed = UInt64(round * 1000 + number)
            var generator = SeededGenerator(seed: seed)
            let text = String(String.UnicodeScalarView(Self.mutate(example, using: &generator)))
            do {
                let configuration = try load(text)
                #expect(!configuration.shops.isEmpty, "seed \(seed)")
            } catch {
                #expect(!error.problems.isEmpty, "seed \(seed)")
                let lines = error.description.split(separator: "\n").count
                #expect(lines == error.problems.count, "seed \(seed): a problem takes more than one line")
            }
        }
    }

    @Test("deep nesting and repeated aliases are refused, not followed")
    func bombs() {
        #expect(!problems("company: " + String(repeating: "[", count: 100_000)).isEmpty)
        #expect(!problems(String(repeating: "- ", count: 20_000) + "a").isEmpty)
        var bomb = "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let list = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "x-\(level): &a\(level) [\(list)]\n"
        }
        #expect(!problems(bomb + "shops: *a20\n").isEmpty)
    }
}
