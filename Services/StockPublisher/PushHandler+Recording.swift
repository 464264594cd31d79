import Concurrency
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import ShopAccounts
import ShopConnectors

extension PushHandler {
    /// A call failed as a whole: records it for all its shelves and says what becomes of the message.
    func giveUp(_ shelves: [ClaimedShelf], because error: ConnectorError, began: Date? = nil) async throws -> Outcome {
        let start = began ?? clock.now()
        let sentence = "\(error)"
        let result: PushResult
        if error.mayHaveBeenApplied {
            result = .lostAnswer(began: start, sentence)
        } else if case .notPaced(_, let refusal) = error {
            if case .breakerOpen = refusal { result = .notSent(.breaker) } else { result = .notSent(.rateLimit) }
        } else {
            result = .failed(sentence)
        }
        logger.warning(
            "push did not go through",
            metadata: ["shop": "\(shop.name)", "shelves": "\(shelves.count)", "problem": "\(sentence)"])
        let recorded = try await record(shelves.map { ($0, result, sentence) }, began: start)
        return recorded.worse(await outcome(of: error))
    }

    /// What an error means for the message.
    private func outcome(of error: ConnectorError) async -> Outcome {
        switch error {
        case .unauthorized, .forbidden:
            await account.alerts.refusedCredentials("\(error)")
            return .defer(dependency)
        case .notPaced(_, .breakerOpen):
            return .defer(dependency)
        case .notPaced:
            return .later(milliseconds: 3_000)
        default:
            let reason = FailureReason(
                error.disposition == .transient ? .transient : .permanent, code: "shop.\(error.label)",
                message: "\(error)")
            if error.countsAsOutage { return .outage(dependency, reason) }
            return error.disposition == .transient ? .retry(reason) : .park(reason)
        }
    }

    /// Records results under the row locks, keeps what the shop said, and asks again where the wish has moved on.
    func record(
        _ results: [(shelf: ClaimedShelf, result: PushResult, answer: String?)], began: Date
    ) async throws -> Outcome {
        let (now, shop, replica, levels) = (clock.now(), shop, replica, levels)
        let name = shop.name
        let outcome = try await database.unitOfWork { work in
            var outcome = Outcome.done
            let around = try levels.surroundings(of: shop, in: work.transaction)
            let byID = Dictionary(uniqueKeysWithValues: results.map { ($0.shelf.id, $0) })
            var mismatches = false
            var rows = try ShelfStore.lock(.shelves(name, Array(byID.keys)), in: work.transaction)
            var again: [ShelfRow] = []
            for index in rows.indices {
                guard let entry = byID[rows[index].shelf] else { continue }
                let policy = shop.policy(for: rows[index].state, around: around, comparesAndSets: false)
                rows[index].state.record(entry.result, of: entry.shelf.claim, now: now, policy: policy)
                let state = rows[index].state
                if let until = state.unknownUntil, until > now { outcome = outcome.worse(.later(until, now)) }
                // Requests that came meanwhile were closed as superseded by this claim, so ask anew. What failed at
                // this very version is this message's own business.
                let isSettled: Bool
                switch entry.result {
                case .confirmed: isSettled = true
                case .mismatch: (isSettled, mismatches) = (true, true)
                case .notSent:
                    // Nothing else asks for a shelf that was claimed and not written: this message does it again.
                    (isSettled, outcome) = (false, outcome.worse(.later(milliseconds: 200)))
                default: isSettled = false
                }
                if state.isDue && (isSettled || state.version > entry.shelf.claim.version) { again.append(rows[index]) }
            }
            try ShelfStore.save(rows, in: work.transaction)
            try PushJournal.insert(results, shop: name, began: began, ended: now, replica: replica, work.transaction)
            // A sale that we have not seen: the shop's orders, then another look.
            if mismatches { try FeedStore.askForOrders(of: name, in: work) }
            try levels.request(again, retryRejected: false, correlation: "follow-up", isUrgent: true, in: work)
            return outcome
        }
        PushMetrics.count(name, results.map(\.result.label))
        return outcome
    }

    /// The database failed between the steps: claims run out by themselves, and the message comes back.
    func databaseFailure(_ error: any Error) -> Outcome {
        .retry(FailureReason(.transient, code: "database", message: "Shop \(shop.name): \(error)"))
    }
}

/// What was sent to the shops and what they said; for `explain`.
enum PushJournal {
    static func insert(
        _ results: [(shelf: PushHandler.ClaimedShelf, result: PushResult, answer: String?)], shop: ShopName,
        began: Date, ended: Date, replica: String, _ transaction: Transaction
    ) throws {
        let names = results.map { $0.result.label }
        try transaction.execute(
            """
            INSERT INTO pushes
                (shop, shelf, claim_number, version, level, began_at, ended_at, result, answer, replica)
            SELECT $1, shelf, claim, version, level, $7, $8, result, answer, $9
            FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::text[], $10::text[])
                AS p (shelf, claim, version, level, result, answer)
            """,
            [
                .text(shop.rawValue), .textArray(results.map(\.shelf.id.rawValue)),
                .integerArray(results.map(\.shelf.claim.number)), .integerArray(results.map(\.shelf.claim.version)),
                .intArray(results.map(\.shelf.claim.level)), .textArray(names), .timestamp(began), .timestamp(ended),
                .text(replica), .nullableTextArray(results.map { $0.answer.map { String($0.prefix(500)) } }),
            ])
    }
}

extension PushResult {
    /// The result's name in the journal.
    var label: String {
        switch self {
        case .confirmed: "confirmed"
        case .rejected: "rejected"
        case .failed: "failed"
        case .lostAnswer: "lost_answer"
        case .notSent: "not_sent"
        case .mismatch: "mismatch"
        }
    }
}
