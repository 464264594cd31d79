import Domain
import Foundation

/// What a run of a source does after a look; no I/O.
struct RunDecision: Sendable, Equatable {
    /// What happens to the run's message.
    enum Next: Sendable, Equatable {
        /// Nothing more to look for.
        case finish
        /// The next due time has come; its run looks on.
        case supersede
        /// Look again after so long.
        case lookAgain(milliseconds: Int)
    }

    /// What a look found.
    struct Findings: Sendable, Equatable {
        /// A file whose numbers went live or wait for an operator came since the file was due.
        var isSatisfied = false
        /// Files lie there that may still be written.
        var isGrowing = false
    }

    /// After so many looks a file that still grows is no reason to hurry, nor for a manual run to wait.
    static let looksAtGrowing = 24
    /// How soon to look again at a file that may still be written; the shortest delay tier.
    static let growingMilliseconds = 5_000

    let next: Next
    /// Whether the file is late: to be alerted once.
    let isLate: Bool

    /// - Parameters:
    ///   - due: When the file was due; nil for a run that a person asked for, which does not wait for one.
    ///   - looks: How often this run has looked, this time included.
    init(
        findings: Findings, due: Date?, looks: Int, now: Date, schedule: Schedule, lookEverySeconds: Int,
        lateAfterMinutes: Int
    ) {
        let waitsForGrowing = findings.isGrowing && looks < Self.looksAtGrowing
        let again = Next.lookAgain(milliseconds: waitsForGrowing ? Self.growingMilliseconds : lookEverySeconds * 1_000)
        guard let due else {
            isLate = false
            next = waitsForGrowing ? again : .finish
            return
        }
        isLate = !findings.isSatisfied && now >= due.addingTimeInterval(Double(lateAfterMinutes) * 60)
        if findings.isSatisfied {
            next = waitsForGrowing ? again : .finish
        } else {
            next = Self.isSuperseded(due: due, now: now, schedule: schedule) ? .supersede : again
        }
    }

    /// Whether the schedule has come due again.
    static func isSuperseded(due: Date, now: Date, schedule: Schedule) -> Bool {
        schedule.next(after: due).map { $0 <= now } ?? false
    }
}
