public import Foundation
import Synchronization

/// The clock of one system: the machine's, or that of a day of its own which a test moves forward. The hours that are
/// skipped take no time; everything that takes time takes its time.
public final class StackClock: Sendable {
    /// Where the merchant is.
    public static let timeZone = TimeZone(identifier: "Asia/Ho_Chi_Minh") ?? .gmt

    /// The local date of the first day, such as `2026-01-05`.
    public let date: String
    /// By how many seconds the time is ahead of the machine's, for all who go by it.
    let file: URL
    private let offset: Mutex<Double>

    init(startsAt: String?, file: URL) throws {
        self.file = file
        guard let startsAt else {
            // A date long past: what counts is that the days follow each other.
            date = "2026-01-05"
            offset = Mutex(0)
            try "0\n".write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let now = Date()
        let tomorrow = now.addingTimeInterval(86_400).formatted(
            Date.ISO8601FormatStyle(timeZone: Self.timeZone).year().month().day())
        date = tomorrow
        let ahead = try Self.time(startsAt, on: tomorrow).timeIntervalSince(now)
        offset = Mutex(ahead)
        try "\(ahead)\n".write(to: file, atomically: true, encoding: .utf8)
    }

    /// What time it is.
    public var now: Date { Date().addingTimeInterval(offset.withLock { $0 }) }

    /// A time of the first day.
    ///
    /// - Parameters:
    ///   - local: Such as `12:00`.
    ///   - day: From 1.
    public func time(_ local: String, day: Int = 1) throws -> Date {
        try Self.time(local, on: date).addingTimeInterval(Double(day - 1) * 86_400)
    }

    /// Moves the clock forward to a time of the day; returns once everybody has seen it.
    ///
    /// - Parameters:
    ///   - local: Such as `12:00`. A time that is past is left alone: time never goes back.
    ///   - day: From 1.
    public func move(to local: String, day: Int = 1) async throws {
        try await move(to: try time(local, day: day))
    }

    /// Moves the clock forward by so many minutes; returns once everybody has seen it.
    public func advance(minutes: Double) async throws { try await move(to: now.addingTimeInterval(minutes * 60)) }

    private func move(to time: Date) async throws {
        let wanted = time.timeIntervalSinceNow
        let moved = try offset.withLock { (offset) throws -> Bool in
            guard wanted > offset else { return false }
            offset = wanted
            try "\(wanted)\n".write(to: file, atomically: true, encoding: .utf8)
            return true
        }
        // The file is looked at ten times a second.
        if moved { try await Task.sleep(for: .milliseconds(200)) }
    }

    /// Moves the clock by so many minutes, back if they are negative, as an administrator or a time server does;
    /// returns once everybody has seen it.
    public func jump(minutes: Double) async throws {
        try offset.withLock { offset in
            offset += minutes * 60
            try "\(offset)\n".write(to: file, atomically: true, encoding: .utf8)
        }
        try await Task.sleep(for: .milliseconds(200))
    }

    private static func time(_ local: String, on date: String) throws -> Date {
        let style = Date.ISO8601FormatStyle(timeZone: timeZone).year().month().day()
            .time(includingFractionalSeconds: false)
        guard let time = try? style.parse("\(date)T\(local):00") else {
            throw ProcessStackProblem("'\(local)' is no time of day.")
        }
        return time
    }
}
