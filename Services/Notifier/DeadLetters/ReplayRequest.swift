import Contracts
import DeadLetters
import Foundation
import Messaging
import PostgreSQL

/// A wish to send dead letters again, checked.
struct ReplayRequest: Sendable, Equatable {
    /// Chosen by whoever asks, so that asking twice is asking once.
    let job: UUID
    let filter: LetterFilter
    let terms: ReplayTerms
    let reason: String
    let requestedBy: String

    /// - Throws: ``CommandRefusal`` if an argument is missing or out of its range.
    init(_ command: Command) throws {
        let arguments = command.arguments
        guard let job = arguments["job"]?.string.flatMap({ UUID(uuidString: $0) }) else {
            throw CommandRefusal("A replay needs the id of its job, a UUID; nothing was changed.")
        }
        guard let rate = arguments["rate"]?.double, rate > 0, rate.isFinite else {
            throw CommandRefusal("The rate has to be a number of messages a second above 0; nothing was changed.")
        }
        guard let share = (arguments["stop_share"] ?? .integer(1)).double, (0...1).contains(share) else {
            throw CommandRefusal("The share at which the job stops itself has to be from 0 to 1; nothing was changed.")
        }
        guard let canary = (arguments["canary"] ?? .integer(0)).integer, (0...1_000_000).contains(canary) else {
            throw CommandRefusal("The canary has to be a number from 0 to 1,000,000; nothing was changed.")
        }
        self.job = job
        filter = try LetterChanges.filter(arguments)
        terms = ReplayTerms(ratePerSecond: rate, canary: Int(canary), stopShare: share)
        reason = try LetterChanges.reason(command)
        requestedBy = command.requestedBy
    }

    /// Freezes the set and opens the job; the same job again is answered as the first time.
    func begin(in work: UnitOfWork) throws -> DeadLetterAnswer {
        let isNew = try insertJob(in: work) == 1
        guard isNew else {
            guard let known = try JobRow.find(job, in: work.transaction) else {
                throw CommandRefusal("Replay job \(job.uuidString.lowercased()) cannot be read; nothing was changed.")
            }
            return answer(known)
        }
        let letters = try freeze(in: work)
        guard letters > 0 else {
            try work.transaction.execute("DELETE FROM dead_letters.jobs WHERE id = $1", [.uuid(job)])
            throw CommandRefusal("No dead letter that waits is among what was asked for; nothing was changed.")
        }
        try work.transaction.execute(
            "UPDATE dead_letters.jobs SET letters = $2 WHERE id = $1", [.uuid(job), .int(letters)])
        return answer(JobRow(id: job, state: "running", letters: letters, ratePerSecond: terms.ratePerSecond))
    }

    private func answer(_ job: JobRow) -> DeadLetterAnswer {
        let letters = job.letters == 1 ? "1 letter" : "\(job.letters) letters"
        return job.answer("has \(letters) and sends at most \(job.ratePerSecond) a second")
    }

    private func insertJob(in work: UnitOfWork) throws -> Int {
        try work.transaction.execute(
            """
            INSERT INTO dead_letters.jobs
                (id, requested_by, reason, filter, letters, rate_per_second, canary, stop_share, created_at)
            VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
            """,
            [
                .uuid(job), .text(requestedBy), .text(reason),
                .text(String(decoding: try ContractCoding.encode(filter), as: UTF8.self)),
                .double(terms.ratePerSecond), .int(terms.canary), .double(terms.stopShare),
                .timestamp(work.startedAt),
            ])
    }

    /// One statement chooses; what follows goes by what was chosen.
    private func freeze(in work: UnitOfWork) throws -> Int {
        let (condition, parameters) = filter.condition(from: 2)
        let letters = try work.transaction.execute(
            """
            INSERT INTO dead_letters.job_items (job, letter)
            SELECT $1, l.id FROM dead_letters.letters l WHERE (\(condition)) AND l.state = 'waiting'
            ORDER BY l.id FOR UPDATE
            """, [.uuid(job)] + parameters)
        guard letters > 0 else { return 0 }
        try work.transaction.execute(
            """
            UPDATE dead_letters.letters l SET state = 'replaying', state_at = $2, job = i.job
            FROM dead_letters.job_items i WHERE i.job = $1 AND i.letter = l.id
            """, [.uuid(job), .timestamp(work.startedAt)])
        try work.transaction.execute(
            """
            INSERT INTO dead_letters.history (letter, at, step, who, why, detail)
            SELECT i.letter, $2, 'replay_requested', $3, $4, $5 FROM dead_letters.job_items i WHERE i.job = $1
            ORDER BY i.letter
            """,
            [
                .uuid(job), .timestamp(work.startedAt), .text(requestedBy), .text(reason),
                .text("Replay job \(job.uuidString.lowercased())."),
            ])
        return letters
    }
}

extension JSONValue {
    /// The number, whole or not, if it is one.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
