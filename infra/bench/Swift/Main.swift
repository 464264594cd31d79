import Foundation

/// Runs our side of one row of `make bench` once and prints what it measured as one line of JSON.
///
///     stockbridge-bench csv FILE | xlsx-read FILE | xlsx-write FILE COUNT
///     stockbridge-bench chain COUNT | relay COUNT | publish COUNT | consume COUNT | pipeline COUNT | archive COUNT
///         (after: fill ROW COUNT)
///     stockbridge-bench copy COUNT | upsert COUNT | groups COUNT
///
/// Servers come from STOCKBRIDGE_BENCH_BROKER and STOCKBRIDGE_BENCH_DATABASE; infra/bench/run.py sets them.
@main
struct Main {
    static func main() async {
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            guard let row = arguments.first else { throw BenchError.usage }
            let measured = try await run(row, arguments)
            if let measured { print(try measured.line()) }
        } catch {
            FileHandle.standardError.write(Data("stockbridge-bench: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ row: String, _ arguments: [String]) async throws -> Measurement? {
        switch (row, arguments.count) {
        case ("csv", 2): return try FileRows.csv(path: arguments[1])
        case ("xlsx-read", 2): return try FileRows.workbook(path: arguments[1])
        case ("xlsx-write", 3): return try ReportRow.write(path: arguments[1], rows: try number(arguments[2]))
        case ("fill", 3):
            try await Fixture().fill(arguments[1], count: try number(arguments[2]))
            return nil
        case ("chain", 2): return try await ChainRow(count: try number(arguments[1])).measure()
        case ("relay", 2): return try await RelayRow(count: try number(arguments[1])).measure()
        case ("publish", 2): return try await BrokerRows(count: try number(arguments[1])).publish()
        case ("consume", 2): return try await BrokerRows(count: try number(arguments[1])).consume()
        case ("pipeline", 2): return try await BrokerRows(count: try number(arguments[1])).pipeline()
        case ("copy", 2): return try await DatabaseRows(count: try number(arguments[1])).copy()
        case ("archive", 2): return try await ArchiveRow(count: try number(arguments[1])).measure()
        case ("groups", 2): return try await ArchiveRow(count: try number(arguments[1])).groups()
        case ("upsert", 2): return try await DatabaseRows(count: try number(arguments[1])).upsert()
        default: throw BenchError.usage
        }
    }

    private static func number(_ text: String) throws -> Int {
        guard let number = Int(text), number > 0 else { throw BenchError.usage }
        return number
    }
}

/// What one run gave.
struct Measurement: Encodable {
    /// Wall-clock seconds of the work itself, without the start of the process.
    var seconds: Double
    /// Messages, rows or SKUs, as a check that all sides did the same work.
    var count: Int
    /// CPU seconds of this process over its whole life, user and system.
    var cpuSeconds = Measurement.usedCPU()
    /// The most memory this process held, in MiB.
    var peakMebibytes = Measurement.peakMemory()

    private enum CodingKeys: String, CodingKey {
        case seconds, count
        case cpuSeconds = "cpu_seconds"
        case peakMebibytes = "peak_mib"
    }

    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private static func usedCPU() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
    }

    private static func peakMemory() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
        return (kibibytes ?? 0) / 1_024
    }
}

/// Why nothing was measured.
enum BenchError: Error, CustomStringConvertible {
    case usage
    case noServer(variable: String)
    case wrongCount(row: String, expected: Int, found: Int)

    var description: String {
        switch self {
        case .usage: "Called wrongly: infra/bench/Swift/Main.swift says how. Nothing was measured."
        case .noServer(let variable): "\(variable) names no server. Run it through infra/bench/run.sh."
        case .wrongCount(let row, let expected, let found):
            "\(row) handled \(found) instead of \(expected). The run does not count; repeat it."
        }
    }
}

extension Duration {
    /// As a number of seconds.
    var inSeconds: Double { self / .seconds(1) }
}
