import Concurrency
public import Contracts
public import Domain
public import Foundation
import Logging
public import Messaging
import PostgreSQL

/// A job that is due at times of day.
public struct ScheduledJob: Sendable {
    /// Its name within the service, such as `ingest erp`.
    public let name: String
    /// When, and by whose clock.
    public let schedule: Schedule
    /// The verb of the command that a due time becomes.
    public let verb: Command.Verb
    /// The command's arguments; `due` is added.
    public let arguments: [String: JSONValue]

    /// Describes a job.
    public init(name: String, schedule: Schedule, verb: Command.Verb, arguments: [String: JSONValue]) {
        self.name = name
        self.schedule = schedule
        self.verb = verb
        self.arguments = arguments
    }
}

/// Turns due times into commands to the service itself.
///
/// A due time becomes an outbox row in the transaction that moves the schedule forward, so that the job is an ordinary
/// message and fires once whatever the number of replicas. What was missed while nobody ran becomes one command, for
/// the latest due time.
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
                let latest = job.schedule.latestDue(after: first, upTo: now) ?? first
                guard let following = job.schedule.next(after: latest) else { continue }
                try work.transaction.execute(
                    "SELECT shared.schedule_fired($1, $2, $3, $4)",
                    [.text(service.rawValue), .text(name), .timestamp(latest), .timestamp(following)])
                try work.send(Self.command(for: job, due: latest, service: service, at: now))
                logger.notice("schedule fired", metadata: ["schedule": "\(name)", "due": "\(latest)"])
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
