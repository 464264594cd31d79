import Contracts
import DeadLetters
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Carries out what operators ask of dead letters and of replay jobs, and answers.
struct DeadLetterCommands: BatchHandler {
    /// What it is routed by: one topic a verb.
    static let topics = Command.verbs(of: .notifier).map { Command.topic(.notifier, $0) }

    func apply(_ events: [Event<Command>], in work: UnitOfWork) throws {
        for event in events {
            do {
                let answer = try carryOut(event.payload, in: work)
                try work.answer(event.payload.commandID, .done, answer)
            } catch let refusal as CommandRefusal {
                try work.answer(event.payload.commandID, .refused, CommandMessage(refusal.sentence))
            }
        }
    }

    private func carryOut(_ command: Command, in work: UnitOfWork) throws(any Error) -> DeadLetterAnswer {
        switch command.verb {
        case .replay: try ReplayRequest(command).begin(in: work)
        case .replayPause: try pause(command, in: work)
        case .replayResume: try resume(command, in: work)
        case .replayCancel: try cancel(command, in: work)
        case .archive: try LetterChanges.archive(command, in: work)
        case .edit: try LetterChanges.edit(command, in: work)
        default: throw CommandRefusal("notifier does not carry out '\(command.verb.rawValue)'.")
        }
    }

    // MARK: Jobs

    private func pause(_ command: Command, in work: UnitOfWork) throws -> DeadLetterAnswer {
        let job = try open(command, in: work)
        if job.state == "running" {
            try set(job.id, "paused", "Paused by \(command.requestedBy).", in: work)
            return job.answer("rests until it is resumed")
        }
        return job.answer(job.state == "paused" ? "rests already" : "has stopped itself and rests already")
    }

    private func resume(_ command: Command, in work: UnitOfWork) throws -> DeadLetterAnswer {
        let job = try open(command, in: work)
        guard job.state != "running" else { return job.answer("is running already") }
        if job.state == "stopped" {
            // Whoever resumes it knows what failed so far; it would stop again at once otherwise.
            try work.transaction.execute(
                "UPDATE dead_letters.jobs SET judged_from = $2 WHERE id = $1",
                [.uuid(job.id), .timestamp(work.startedAt)])
        }
        try set(job.id, "running", nil, in: work)
        return job.answer("goes on")
    }

    /// Only the state changes here: what was not sent is taken back by whoever runs the job, between two sendings, so
    /// that nothing is on its way that is said to be taken back.
    private func cancel(_ command: Command, in work: UnitOfWork) throws -> DeadLetterAnswer {
        let job = try open(command, in: work)
        try set(job.id, "cancelled", "Cancelled by \(command.requestedBy).", in: work)
        return job.answer(
            "is cancelled: what was not sent is a dead letter again, what was sent is followed to its end")
    }

    private func set(_ job: UUID, _ state: String, _ reason: String?, in work: UnitOfWork) throws {
        try work.transaction.execute(
            "UPDATE dead_letters.jobs SET state = $2, state_reason = $3 WHERE id = $1",
            [.uuid(job), .text(state), .maybe(reason) { .text($0) }])
    }

    /// The job a command names, locked; it must not be over.
    private func open(_ command: Command, in work: UnitOfWork) throws -> JobRow {
        let text = command.arguments["job"]?.string ?? ""
        guard let id = UUID(uuidString: text), let job = try JobRow.find(id, in: work.transaction) else {
            throw CommandRefusal(
                "There is no replay job '\(text.prefix(80))'; 'stockbridge dead-letters jobs' lists them.")
        }
        guard job.state != "done" && job.state != "cancelled" else {
            throw CommandRefusal(
                "Replay job \(id.uuidString.lowercased()) is over (\(job.state)); nothing was changed.")
        }
        return job
    }
}

/// A rule forbids the command; nothing was changed.
struct CommandRefusal: Error {
    let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

/// What an operator is shown.
struct DeadLetterAnswer: Codable, Sendable, Equatable {
    var message: String
    var job: String?
    var letters: Int?
}

/// A replay job as a command sees it.
struct JobRow: Sendable {
    let id: UUID
    let state: String
    let letters: Int
    let ratePerSecond: Double

    /// Locks the job until the transaction ends.
    static func find(_ id: UUID, in transaction: Transaction) throws -> JobRow? {
        try transaction.query(
            "SELECT state, letters, rate_per_second FROM dead_letters.jobs WHERE id = $1 FOR UPDATE", [.uuid(id)]
        ).first.map { row in
            JobRow(
                id: id, state: try row.decode("state"), letters: try row.decode("letters"),
                ratePerSecond: try row.decode("rate_per_second"))
        }
    }

    func answer(_ what: String) -> DeadLetterAnswer {
        let name = id.uuidString.lowercased()
        return DeadLetterAnswer(message: "Replay job \(name) \(what).", job: name, letters: letters)
    }
}
