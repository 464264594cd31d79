import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Transfer

/// Builds reports and hands them to the ERP's mail server. Each sending is recorded before and after; a repetition
/// after a crash or a lost answer in between carries the same Message-ID.
struct ReportHandler: WorkHandler {
    let steps: ReportSteps
    let server: MailServer
    let transfer: TransferClient
    let database: ServiceDatabase
    let clock: WallClock
    let faults: FaultInjection
    let logger: Logger

    var leaseSeconds: Int { ReportSteps.leaseSeconds }

    /// Whether the mail server answers again.
    func answers(_: Dependency) async -> Bool { (try? await transfer.greet(server)) != nil }

    func perform(_ event: Event<ReportWork>, _ context: WorkContext) async -> Outcome {
        let batch = event.payload.batchID
        do {
            if let number = event.payload.resending { return try await resend(batch, number, context) }
            let steps = steps
            // A build whose orders go on changing while it is made is given up to the next delivery.
            for _ in 0..<2 * ReportSteps.maximumBuilds {
                switch try await database.unitOfWork({ work in try steps.next(of: batch, in: work) }) {
                case .nothing: return .done
                case .busy: return .later(milliseconds: 5_000)
                case .again: continue
                case .send(let mail): return try await send(mail, context)
                case .unknown:
                    return .park(
                        FailureReason(
                            .permanent, code: "report.unknown",
                            message: "There is no report \(batch.prefix(100)); nothing was sent."))
                }
            }
            return .later(milliseconds: 5_000)
        } catch let problem as ReportProblem {
            return .park(FailureReason(.permanent, code: "report.file", message: "\(problem)"))
        } catch {
            logger.warning("report not made", metadata: ["batch": "\(batch)", "problem": "\(error)"])
            return .retry(FailureReason(.transient, code: "report", message: "Report \(batch): \(error)"))
        }
    }

    private func send(_ mail: ReportMail, _ context: WorkContext) async throws -> Outcome {
        let record = ReportRecord(batch: mail.batch, steps: steps)
        do throws(TransferError) {
            let receipt = try await transfer.sendMail(mail.message, via: server)
            faults.reached(.afterCallBeforeCommit)
            do {
                try await context.complete { work in try record.sent(receipt.reply, in: work) }
            } catch {
                return .retry(
                    FailureReason(
                        .transient, code: "database", message: "Report \(mail.batch) went out: \(error)"))
            }
            logger.notice("report sent", metadata: ["batch": "\(mail.batch)"])
            return .done
        } catch {
            let trouble = SendingTrouble(error)
            logger.warning("report not sent", metadata: ["batch": "\(mail.batch)", "problem": "\(error)"])
            try await database.unitOfWork { work in try record.notSent(trouble, in: work) }
            return trouble.outcome(about: "Report \(mail.batch)")
        }
    }

    /// Mails a batch that was sent before once more: the same bytes in a mail of its own.
    private func resend(_ batch: String, _ number: Int, _ context: WorkContext) async throws -> Outcome {
        let (settings, logger) = (steps.settings, logger)
        let mail: ReportMail? = try await database.unitOfWork { work in
            let rows = try work.transaction.query(
                """
                UPDATE resendings SET sending_at = $3, attempts = attempts + 1
                WHERE batch_id = $1 AND number = $2 AND sent_at IS NULL RETURNING message_id
                """, [.text(batch), .int(number), .timestamp(work.startedAt)])
            guard let row = rows.first else { return nil }
            return try ReportMail.read(
                batch, messageID: try row.decode("message_id"), repetition: number, settings: settings,
                date: work.startedAt, in: work.transaction)
        }
        guard let mail else { return .done }
        let record = ReportRecord(batch: batch, steps: steps)
        do throws(TransferError) {
            let receipt = try await transfer.sendMail(mail.message, via: server)
            faults.reached(.afterCallBeforeCommit)
            do {
                try await context.complete { work in try record.resent(number, receipt.reply, in: work) }
            } catch {
                return .retry(
                    FailureReason(.transient, code: "database", message: "Report \(batch) went out again: \(error)"))
            }
            return .done
        } catch {
            let sentence = "\(error)"
            logger.warning("report not sent again", metadata: ["batch": "\(batch)", "problem": "\(sentence)"])
            _ = try await database.pool.query(
                "UPDATE resendings SET last_problem = $3 WHERE batch_id = $1 AND number = $2",
                [.text(batch), .int(number), .text(sentence)])
            let trouble = SendingTrouble(error)
            return trouble.isPermanent
                ? .park(FailureReason(.permanent, code: "mail", message: "Report \(batch) again: \(sentence)"))
                : trouble.outcome(about: "Report \(batch) again")
        }
    }
}

/// What the mail server, or the way to it, had against a report. Pure.
struct SendingTrouble: Sendable {
    let sentence: String
    /// The mail server said no for good (RFC 5321, 4.2.1: 5yz), or the mail breaks a rule.
    let isPermanent: Bool
    /// No connection came about, or it led to no answer: nothing else can be sent either.
    let isOutage: Bool

    init(_ error: TransferError) {
        sentence = "\(error)"
        isOutage = error.countsAsOutage
        isPermanent =
            switch error {
            case .refused(let code, _, _): (500..<600).contains(code)
            case .invalidRequest: true
            default: false
            }
    }

    func outcome(about what: String) -> Outcome {
        // The table and an alert say so; a dead letter would add nothing.
        if isPermanent { return .done }
        let reason = FailureReason(.transient, code: "mail", message: "\(what): \(sentence)")
        return isOutage ? .outage(Dependency("mail server"), reason) : .retry(reason)
    }
}
