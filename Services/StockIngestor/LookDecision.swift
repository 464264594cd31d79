import Foundation
import Settings
import Transfer

/// One version of a file at its source.
struct Candidate: Sendable, Equatable {
    let name: String
    /// As the server states it; 0 where it does not.
    let size: Int
    let modifiedAt: Date?
    let entityTag: String?

    init(_ entry: RemoteEntry) {
        name = entry.name
        size = entry.size
        modifiedAt = entry.modifiedAt.map(Moment.toMicroseconds)
        entityTag = entry.entityTag
    }

    /// Changes whenever the file does, as far as the server tells. Nil if it tells nothing that would change.
    var version: String? {
        guard modifiedAt != nil || entityTag != nil else { return nil }
        let time = modifiedAt.map { String(Moment.microseconds($0)) } ?? ""
        return "\(name)|\(size)|\(time)|\(entityTag ?? "")"
    }
}

/// Which files of a listing are to be taken now; no I/O, so that every case is a test.
struct LookDecision: Sendable, Equatable {
    /// Files last seen unchanged for at least so long are complete, where nothing else tells.
    static let stableSeconds: Double = 3
    /// So many new files are taken in one run; older ones say nothing that the newer ones do not.
    static let mostFiles = 10

    /// Complete and new, oldest statement first.
    var ready: [Candidate] = []
    /// New, but perhaps still being written.
    var growing: [Candidate] = []
    /// New and complete, and not worth reading beside the others.
    var passedOver: [Candidate] = []
    /// What to remember for the next look: version and when it was seen first.
    var seen: [String: Date] = [:]

    /// - Parameters:
    ///   - entries: The listing, markers included.
    ///   - matches: Whether a name belongs to the source.
    ///   - completeness: How one sees that a file is complete.
    ///   - taken: Versions that were looked into before.
    ///   - seen: What the look before remembered.
    ///   - isFirstOfSource: Nothing was ever taken from the source: only its newest file counts.
    ///   - asOf: The statement's time where it is known without reading; orders the files.
    init(
        entries: [RemoteEntry], matches: (String) -> Bool, completeness: StockbridgeConfiguration.Completeness,
        taken: Set<String>, seen: [String: Date], isFirstOfSource: Bool, now: Date, asOf: (Candidate) -> Date?
    ) {
        let names = Set(entries.map(\.name))
        var complete: [Candidate] = []
        for candidate in entries.map(Candidate.init) where Self.belongs(candidate.name, matches, completeness) {
            let version = candidate.version
            if let version, taken.contains(version) { continue }
            let key = version ?? candidate.name + "|\(candidate.size)"
            switch completeness {
            case .rename: complete.append(candidate)
            case .marker(let suffix):
                names.contains(candidate.name + suffix) ? complete.append(candidate) : growing.append(candidate)
            case .stable:
                let first = seen[key] ?? now
                self.seen[key] = first
                now.timeIntervalSince(first) >= Self.stableSeconds
                    ? complete.append(candidate) : growing.append(candidate)
            }
        }
        complete.sort { Self.precedes($0, $1, asOf) }
        let kept = isFirstOfSource ? 1 : Self.mostFiles
        ready = Array(complete.suffix(kept))
        passedOver = Array(complete.dropLast(kept))
        // The newest may still be on its way: then nothing may be passed over for a file that is not the newest.
        if isFirstOfSource, let last = ready.last, growing.contains(where: { Self.precedes(last, $0, asOf) }) {
            (ready, passedOver) = ([], [])
        }
    }

    private static func belongs(
        _ name: String, _ matches: (String) -> Bool, _ completeness: StockbridgeConfiguration.Completeness
    ) -> Bool {
        if case .marker(let suffix) = completeness, name.hasSuffix(suffix) { return false }
        return matches(name)
    }

    private static func precedes(_ left: Candidate, _ right: Candidate, _ asOf: (Candidate) -> Date?) -> Bool {
        let times = [left, right].map { asOf($0) ?? $0.modifiedAt ?? .distantPast }
        return times[0] == times[1] ? left.name < right.name : times[0] < times[1]
    }
}

/// Moments as the database keeps them, so that equal ones stay equal on the way there and back.
enum Moment {
    static func microseconds(_ date: Date) -> Int64 { Int64((date.timeIntervalSince1970 * 1_000_000).rounded()) }

    static func toMicroseconds(_ date: Date) -> Date {
        Date(timeIntervalSince1970: Double(microseconds(date)) / 1_000_000)
    }
}
