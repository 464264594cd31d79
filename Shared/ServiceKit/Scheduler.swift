import Concurrency
public import Contracts
public import Domain
public import Foundation
import Logging
public import Messaging
import PostgreSQL

/// A job that is due at times of day.
public struct ScheduledJob: Sendable {
    /// What becomes of due times that were missed while nobody ran (design.md, "Schedules").
    public enum MissedRuns: Sendable, Equatable {
        /// One command, for the latest of them.
        case coalesce
        /// A command for each of them, or for so many of the latest.
        case each(atMost: Int)
    }

    /// Its name within the service, such as `ingest erp`.
    public let name: String
    /// When, and by whose clock.
    public let schedule: Schedule
    /// The verb of the command that a due time becomes.
    public let verb: Command.Verb
    /// The command's arguments; `due` is added.
    public let arguments: [String: JSONValue]
    /// What becomes of missed due times.
    public let missedRuns: MissedRuns

    /// Describes a job.
    public init(
        name: String, schedule: Schedule, verb: Command.Verb, arguments: [String: JSONValue],
        missedRuns: MissedRuns = .coalesce
    ) {
        self.name = name
        self.schedule = schedule
        self.verb = verb
        self.arguments = arguments
        self.missedRuns = missedRuns
    }

    /// The due times that become a command, earliest first.
    ///
    /// - Parameters:
    ///   - first: The due time that was waited for.
    ///   - now: The time; not before `first`.
    func due(from first: Date, upTo now: Date) -> [Date] {
        switch missedRuns {
        case .coalesce:
            return [schedule.latestDue(after: first, upTo: now) ?? first]
        case .each(let most):
            var all = [first]
            while let last = all.last, let next = schedule.next(after: last), next <= now {
                all.append(next)
                if all.count > max(1, most) { all.removeFirst() }
            }
            return all
        }
    }
}

/// Turns due times into commands to the service itself.
///
/// A due time becomes an outbox row in the transaction that moves the schedule forward, so that the job is an ordinary
/// message and fires once whatever the number of replicas. What was missed while nobody ran becomes one command, for
/// the latest due time, unless the job says otherwise.
struct Scheduler: Sendable {
    let service: ServiceName
    let jobs: [ScheduledJob]
    let database: ServiceDatabase
    let clock: WallClock
    let stop: StopSignal
    let logger: Logger

    func run() async {
        let backoff = Backoff(first: .seconds(1), ceiling: .seconds(30))
        var declared = false
        var failures = 0
        while !stop.isStopping {
            do {
                if !declared { try await declare() }
                declared = true
                try await fireDue()
                failures = 0
                await stop.sleep(for: .seconds(1))
            } catch {
                failures += 1
                logger.warning("schedules not looked at, trying again", metadata: ["problem": "\(error)"])
                await stop.sleep(for: backoff.delay(afterFailures: failures))
            }
        }
    }

    private func declare() async throws {
        let (service, jobs, now) = (service, jobs, clock.now())
        try await database.pool.transaction { transaction in
            try transaction.execute(
                "SELECT shared.keep_schedules($1, $2)", [.text(service.rawValue), .textArray(jobs.map(\.name))])
            for job in jobs {
                guard let next = job.schedule.next(after: now) else { continue }
                try transaction.execute(
                    "SELECT shared.declare_schedule($1, $2, $3, $4, $5)",
                    [
                        .text(service.rawValue), .text(job.name), .text(job.schedule.cron.text),
                        .text(job.schedule.timeZone.identifier), .timestamp(next),
                    ])
            }
        }
    }

    private func fireDue() async throws {
        let (service, now, logger) = (service, clock.now(), logger)
        let byName = Dictionary(uniqueKeysWithValues: jobs.map { ($0.name, $0) })
        try await database.unitOfWork { work in
            let due = try work.transaction.query(
                "SELECT name, due FROM shared.due_schedules($1, $2)", [.text(service.rawValue), .timestamp(now)])
            for row in due {
                let name = try row.decode("name", as: String.self)
                guard let job = byName[name] else { continue }
                let first = try row.decode("due", as: Date.self)
                let times = job.due(from: first, upTo: now)
                guard let latest = times.last, let following = job.schedule.next(after: latest) else { continue }
                try work.transaction.execute(
                    "SELECT shared.schedule_fired($1, $2, $3, $4)",
                    [.text(service.rawValue), .text(name), .timestamp(latest), .timestamp(following)])
                for time in times {
                    try work.send(Self.command(for: job, due: time, service: service, at: now))
                    logger.notice("schedule fired", metadata: ["schedule": "\(name)", "due": "\(time)"])
                }
            }
        }
    }

    private static func command(
        for job: ScheduledJob, due: Date, service: ServiceName, at now: Date
    ) throws -> OutboxMessage {
        var arguments = job.arguments
        arguments["due"] = .string(due.formatted(.iso8601))
        return try OutboxMessage.command(
            job.verb, arguments: arguments, to: service, from: service, requestedBy: "schedule \(job.name)",
            at: now)
    }
}

extension OutboxMessage {
    /// A command to a service, under its own topic.
    ///
    /// - Parameter id: Also the command's row, if it has one.
    public static func command(
        id: UUID = UUID(), _ verb: Command.Verb, arguments: [String: JSONValue], to service: ServiceName,
        from sender: ServiceName, requestedBy: String, at now: Date
    ) throws -> OutboxMessage {
        let payload = Command(
            commandID: id, service: service, verb: verb, arguments: arguments, requestedBy: requestedBy,
            requestedAt: now)
        let event = Event(
            payload, id: id, subject: verb.rawValue, correlation: id.uuidString.lowercased(), occurredAt: now)
        return try OutboxMessage(event, from: sender)
    }
}
