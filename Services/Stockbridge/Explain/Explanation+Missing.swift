import Domain
import Foundation

extension Explanation {
    /// Finds out what has left since: versions are numbered without a gap, and pushes leave after the same time.
    ///
    /// - Parameters:
    ///   - next: The first version after the time it is told for that is still kept.
    ///   - count: So many versions and pushes stand in their lists at most.
    mutating func noteWhatIsMissing(next: Int?, atMost count: Int, now: Date) {
        let newest = versions.first?.version ?? 0
        wantedIsMissing = next.map { $0 > newest + 1 } ?? false
        let numbers = versions.map(\.version) + (versions.count < count ? [0] : [])
        versionsAreMissing = wantedIsMissing || zip(numbers, numbers.dropFirst()).contains { $0 > $1 + 1 }
        let limit = RetentionPeriod.limit(days: RetentionPeriod.detailDays, before: now)
        pushesAreMissing = pushes.count < count && (versionsAreMissing || (isPast && at < limit && newest > 0))
    }
}
