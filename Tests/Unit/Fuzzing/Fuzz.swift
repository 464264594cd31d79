import Foundation
import Testing

/// All of them, one after the other: what waits for its turn must not look like a hang.
@Suite("Fuzzing", .serialized) enum FuzzTests {}

/// One spoilt text, and the generator that made it for further choices.
struct FuzzCase {
    /// What to name a failure by: the parser, the seed and the number of the case.
    let label: String
    let bytes: [UInt8]
    var random: SeededBytes
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Runs a parser over spoilt texts.
///
/// `STOCKBRIDGE_FUZZ_CASES` sets how many there are of each parser, `STOCKBRIDGE_TEST_SEED` which. To find the case
/// that stops the process, name a file in `STOCKBRIDGE_FUZZ_TRACE`: it gets the label and the bytes of every case
/// before it is run, so that the last one stands there afterwards.
enum Fuzz {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["STOCKBRIDGE_TEST_SEED"].flatMap { UInt64($0) } ?? 1
    private static let wanted = environment["STOCKBRIDGE_FUZZ_CASES"].flatMap { Int($0) }
    private static let trace = environment["STOCKBRIDGE_FUZZ_TRACE"]
    /// No text of these lengths takes a second; ten are a hang.
    private static let longestCase = Duration.seconds(10)

    /// - Parameters:
    ///   - parser: For labels, and so that parsers with the same corpus get different cases.
    ///   - cases: How many, unless the environment says.
    static func run(
        _ parser: String, corpus: [[UInt8]], cases: Int, _ body: (inout FuzzCase) async throws -> Void
    ) async throws {
        let salt = parser.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        for number in 0..<(wanted ?? cases) {
            var random = SeededBytes(seed: seed &* 1_000_003 &+ UInt64(number) ^ salt)
            let start = random.pick(corpus, or: [])
            let bytes = random.spoilt(start, corpus: corpus)
            var one = FuzzCase(label: "\(parser), seed \(seed), case \(number)", bytes: bytes, random: random)
            if let trace {
                // Only of use to whoever looks for a crash, who sees that the file is not there.
                try? Data(Array("\(one.label)\n".utf8) + bytes).write(
                    to: URL(fileURLWithPath: "\(trace).\(parser.replacing(" ", with: "-"))"))
            }
            let started = ContinuousClock.now
            try await body(&one)
            let took = ContinuousClock.now - started
            #expect(took < longestCase, "\(one.label) took \(took)")
        }
    }

    static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    /// A file of the repository.
    static func file(_ path: String) throws -> [UInt8] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        return Array(try Data(contentsOf: root.appendingPathComponent(path)))
    }
}

/// A file that is gone when the test is.
final class ScratchFile {
    let path: String
    init(_ name: String) throws {
        let folder = NSTemporaryDirectory() + "fuzz-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        path = folder + "/" + name
    }
    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    deinit { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
}
