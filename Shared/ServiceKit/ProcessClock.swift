public import Concurrency
import Foundation
import Synchronization

/// The clock that a process goes by: the machine's, shifted by what a file says if the environment names one.
///
/// A demonstration or a test compresses a day by moving that file's number forward: the hours in between are skipped,
/// everything that takes time takes its time. Never set in a deployment; a service warns at start if it is.
public enum ProcessClock {
    /// Names the file: it holds a number of seconds, which may have decimals, that the time is ahead of the machine's.
    public static let variable = "STOCKBRIDGE_CLOCK_OFFSET_FILE"

    /// The file, where the environment names one.
    public static var offsetFile: String? { ProcessInfo.processInfo.environment[variable] }

    /// The machine's clock, or a shifted one.
    public static let wall: WallClock = offsetFile.map { shifted(by: ShiftFile(path: $0)) } ?? .system

    static func shifted(by file: ShiftFile) -> WallClock {
        WallClock { Date().addingTimeInterval(file.seconds()) }
    }
}

/// A file with a number of seconds, read at most every five milliseconds.
final class ShiftFile: Sendable {
    private let path: String
    private let held = Mutex<(seconds: Double, readAt: ContinuousClock.Instant)?>(nil)

    init(path: String) { self.path = path }

    func seconds() -> Double {
        held.withLock { held in
            let now = ContinuousClock.now
            if let held, held.readAt.duration(to: now) < .milliseconds(5) { return held.seconds }
            // A file that is being replaced keeps the number it had.
            let text = try? String(contentsOfFile: path, encoding: .utf8)
            let seconds = text.flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            held = (seconds ?? held?.seconds ?? 0, now)
            return held?.seconds ?? 0
        }
    }
}
