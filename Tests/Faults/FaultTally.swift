import Foundation
import Synchronization
import Testing

/// The sum over all faults of this run, by kind of fault. With `STOCKBRIDGE_FAULT_TABLE` set every row is appended to
/// that file too, so that a run of several processes ends with one table.
final class FaultTally: Sendable {
    static let shared = FaultTally()

    private struct Sum {
        var injected = 0
        var inFlight = 0
        var lost = 0
        var duplicated = 0
        var stale = 0
    }

    private let rows = Mutex<[String: Sum]>([:])
    private let file = ProcessInfo.processInfo.environment["STOCKBRIDGE_FAULT_TABLE"]

    /// Adds what a fault did to the row of its kind.
    ///
    /// - Parameters:
    ///   - fault: The kind of fault: rows of one name are summed.
    ///   - injected: How often it happened; 0 where it was not reached.
    ///   - inFlight: Messages on their way at those moments: `ProcessStack.messagesInFlight`.
    private func add(fault: String, _ verdict: FaultVerdict, injected: Int, inFlight: Int) {
        let counts = (verdict.lost.count, verdict.duplicated.count, verdict.stale.count)
        rows.withLock { rows in
            var sum = rows[fault, default: Sum()]
            sum.injected += injected
            sum.inFlight += inFlight
            sum.lost += counts.0
            sum.duplicated += counts.1
            sum.stale += counts.2
            rows[fault] = sum
            append([fault, "\(injected)", "\(inFlight)", "\(counts.0)", "\(counts.1)", "\(counts.2)", ""])
        }
    }

    /// The end of a fault: its row, a line that says how it went, and that nothing is lost, there twice or stale.
    ///
    /// - Parameters:
    ///   - kind: The row.
    ///   - saying: What happened, for the line.
    func conclude(
        _ kind: String, _ verdict: FaultVerdict, injected: Int, inFlight: Int, since began: ContinuousClock.Instant,
        saying text: String
    ) {
        add(fault: kind, verdict, injected: injected, inFlight: inFlight)
        let seconds = (ContinuousClock.now - began).formatted(
            .units(allowed: [.seconds], fractionalPart: .show(length: 1)))
        let reached = injected == 0 ? " (not reached)" : ""
        print("fault: \(text)\(reached): at rest after \(seconds), \(verdict.summary)")
        #expect(verdict.lost == [])
        #expect(verdict.duplicated == [])
        #expect(verdict.stale == [])
    }

    /// A fault that this machine does not permit: it gets a row that counts nothing.
    ///
    /// - Parameter reason: Why not.
    func skip(fault: String, because reason: String) {
        print("fault: \(fault): not tried: \(reason)")
        rows.withLock { _ in append([fault, "0", "0", "0", "0", "0", "not tried: \(reason)"]) }
    }

    /// The sum so far, as a line.
    var text: String {
        let sum = rows.withLock { rows in
            rows.values.reduce(into: Sum()) { sum, row in
                sum.injected += row.injected
                sum.lost += row.lost
                sum.duplicated += row.duplicated
                sum.stale += row.stale
            }
        }
        return "faults: \(sum.injected) injected, \(sum.lost) lost, \(sum.duplicated) duplicated, \(sum.stale) stale"
    }

    /// One line per addition, its fields separated by tabs; called under the lock.
    private func append(_ fields: [String]) {
        guard let file else { return }
        let line = fields.map { $0.replacing(#/[\t\n\r]/#, with: " ") }.joined(separator: "\t") + "\n"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(line.utf8)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }
}
