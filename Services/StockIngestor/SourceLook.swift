import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Settings
import Transfer

/// One look of a run at one source: list, choose, take, decide whether to look on.
struct SourceLook: Sendable {
    let settings: StockbridgeConfiguration.Source
    let parts: ServiceParts
    let run: RunRequest

    /// What the run's message is told.
    enum Step: Sendable {
        case finished([FileResult])
        case lookAgain(milliseconds: Int)
    }

    private var source: SourceName { settings.name }
    private var alerts: SourceAlerts { SourceAlerts(source: settings.name) }

    func look() async throws -> Step {
        let (run, source) = (run, source)
        let pickup = try await parts.database.unitOfWork { work in
            try Pickup.open(run.id, source: source, due: run.due, in: work)
        }
        guard pickup.state == .looking else { return .finished(pickup.results) }
        do {
            let location = try RemoteLocation(settings.location, service: parts.name.rawValue)
            let entries = try await location.list(with: parts.transfer, settings.completeWhen)
            let decision = try await decide(entries, location, pickup)
            var (isGrowing, extra) = (!decision.growing.isEmpty, [FileResult]())
            let taking = FileTaking(settings: settings, parts: parts, run: run, location: location, pickup: pickup)
            for candidate in decision.ready {
                switch try await taking.take(candidate) {
                case .done(let result): extra.append(result)
                case .stillGrowing: isGrowing = true
                case .vanished: break
                }
            }
            return try await finish(pickup, decision, isGrowing: isGrowing, dryRun: run.isDryRun ? extra : [])
        } catch let error as PostgresError {
            throw error
        } catch {
            return try await finish(pickup, LookTrouble(error, source: source))
        }
    }

    private func decide(_ entries: [RemoteEntry], _ location: RemoteLocation, _ pickup: Pickup) async throws
        -> LookDecision
    {
        let (settings, run, source, now) = (settings, run, source, parts.clock.now())
        let format = SourceFormat(settings)
        return try await parts.database.unitOfWork { work in
            let versions = entries.compactMap { Candidate($0).version }
            let taken = try SnapshotStore.taken(
                source, among: versions, rereadsUnreadable: run.due == nil, in: work.transaction)
            let live = try work.transaction.query(
                "SELECT 1 AS one FROM sources WHERE source = $1 AND live_snapshot IS NOT NULL",
                [.text(source.rawValue)])
            let decision = LookDecision(
                entries: entries, matches: location.matches, completeness: Self.completeness(settings), taken: taken,
                seen: pickup.seen, isFirstOfSource: live.isEmpty, now: now, asOf: format.asOfBeforeReading)
            if !run.isDryRun {
                for candidate in decision.passedOver {
                    try SnapshotStore.remember(
                        source, version: candidate.version ?? candidate.name, name: candidate.name, digest: nil,
                        snapshot: nil, outcome: "passed_over", run: run.correlation, in: work)
                }
            }
            return decision
        }
    }

    /// Nothing lies beside the one file of an address.
    private static func completeness(
        _ settings: StockbridgeConfiguration.Source
    ) -> StockbridgeConfiguration.Completeness {
        if case .https = settings.location, case .marker = settings.completeWhen { return .stable }
        return settings.completeWhen
    }

    private func finish(
        _ pickup: Pickup, _ decision: LookDecision, isGrowing: Bool, dryRun: [FileResult]
    ) async throws -> Step {
        let (run, source, settings, alerts) = (run, source, settings, alerts)
        return try await parts.database.unitOfWork { work in
            let present = try Pickup.open(run.id, source: source, due: run.due, in: work)
            let results = present.results + dryRun
            try alerts.clear(
                AlertKind.ofPlace, text: "Source \(source) can be looked into again.",
                correlation: run.correlation, in: work)
            let findings = RunDecision.Findings(
                isSatisfied: try !dryRun.isEmpty || Self.isSatisfied(results, run.due, source, in: work.transaction),
                isGrowing: isGrowing && dryRun.isEmpty)
            let next = RunDecision(findings: findings, present, settings, now: work.startedAt)
            if next.isLate { try raiseLate(run, because: "no usable file is there", in: work) }
            try present.close(
                state: Self.state(next.next, failed: false), failures: 0, seen: decision.seen, in: work)
            return Self.step(next.next, results)
        }
    }

    /// The source could not be looked into.
    private func finish(_ pickup: Pickup, _ trouble: LookTrouble) async throws -> Step {
        let (run, source, settings, alerts) = (run, source, settings, alerts)
        parts.logger.warning(
            "source not looked into", metadata: ["source": "\(source)", "problem": "\(trouble.text)"])
        return try await parts.database.unitOfWork { work in
            var present = try Pickup.open(run.id, source: source, due: run.due, in: work)
            let failures = present.failures + 1
            if !run.isDryRun && trouble.isToBeTold(afterFailures: failures) {
                try alerts.raise(
                    trouble.kind, title: trouble.title, text: trouble.text, whatToDo: trouble.whatToDo,
                    correlation: run.correlation, in: work)
            }
            let findings = RunDecision.Findings(
                isSatisfied: try Self.isSatisfied(present.results, run.due, source, in: work.transaction))
            let next = RunDecision(findings: findings, present, settings, now: work.startedAt)
            if next.isLate { try raiseLate(run, because: "the source cannot be looked into", in: work) }
            if run.due == nil {
                let result = FileResult(source: source, file: "", state: .failed, message: trouble.text)
                try present.append(result, in: work)
                present = try Pickup.open(run.id, source: source, due: run.due, in: work)
            }
            try present.close(
                state: Self.state(next.next, failed: run.due == nil), failures: failures, seen: present.seen, in: work)
            return Self.step(next.next, present.results)
        }
    }

    private func raiseLate(_ run: RunRequest, because reason: String, in work: UnitOfWork) throws {
        let due = run.due.map(UTCTimestamp.format) ?? "its time"
        try alerts.raise(
            .late, title: "The stock file of source \(source) is late",
            text: "The stock file of source \(source) was due at \(due) and \(reason) "
                + "\(settings.lateAfterMinutes) min later. The last good numbers stay live, and it is looked for "
                + "every \(settings.lookEverySeconds) s until the next one is due.",
            whatToDo: "Ask whoever sends the file. It is taken as soon as it is there.",
            correlation: run.correlation, in: work)
    }

    /// Also by a file that another run took meanwhile.
    private static func isSatisfied(
        _ results: [FileResult], _ due: Date?, _ source: SourceName, in transaction: Transaction
    ) throws -> Bool {
        if results.contains(where: \.hasNumbers) { return true }
        guard let due else { return !results.isEmpty }
        let rows = try transaction.query(
            """
            SELECT 1 AS one FROM snapshots
            WHERE source = $1 AND received_at >= $2 AND state IN ('live', 'held', 'replaced') LIMIT 1
            """, [.text(source.rawValue), .timestamp(due)])
        return !rows.isEmpty
    }

    private static func state(_ next: RunDecision.Next, failed: Bool) -> Pickup.State {
        switch next {
        case .finish: failed ? .failed : .done
        case .supersede: .superseded
        case .lookAgain: .looking
        }
    }

    private static func step(_ next: RunDecision.Next, _ results: [FileResult]) -> Step {
        switch next {
        case .finish, .supersede: .finished(results)
        case .lookAgain(let milliseconds): .lookAgain(milliseconds: milliseconds)
        }
    }
}

extension RunDecision {
    /// Decides for a run as its row and its source's settings are.
    init(findings: Findings, _ pickup: Pickup, _ settings: StockbridgeConfiguration.Source, now: Date) {
        self.init(
            findings: findings, due: pickup.due, looks: pickup.looks + 1, now: now, schedule: settings.schedule,
            lookEverySeconds: settings.lookEverySeconds, lateAfterMinutes: settings.lateAfterMinutes)
    }
}
