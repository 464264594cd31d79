import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit

/// Ends runs: as soon as nothing more can happen in them, at the latest at their deadline.
struct RunKeeper: Sendable {
    let parts: ServiceParts
    let statements: StatementWriter

    func run() async {
        while !parts.stop.isStopping {
            do {
                try await lookOnce()
            } catch {
                parts.logger.warning("runs not looked at, trying again", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .milliseconds(500))
        }
    }

    func lookOnce() async throws {
        let (logger, statements) = (parts.logger, statements)
        let ended = try await parts.database.unitOfWork { work -> [(Run, OutcomeCounts)] in
            var ended: [(Run, OutcomeCounts)] = []
            let open = try RunStore.lockOpen(in: work.transaction)
            let newest = Dictionary(open.map { ($0.shop, $0.id) }) { _, last in last }
            for run in open {
                let progress = try RunStore.progress(of: run, in: work.transaction)
                let overtaken = newest[run.shop] != run.id
                guard overtaken || progress.isOver || run.deadlineAt <= work.startedAt else { continue }
                let counts = try RunStore.count(run.shop, since: run.beganAt, in: work.transaction)
                try RunStore.store(counts, of: run, ended: true, at: work.startedAt, in: work.transaction)
                if !overtaken { try statements.write(run, counts, in: work) }
                ended.append((run, counts))
            }
            return ended
        }
        for (run, counts) in ended {
            logger.notice(
                "run ended",
                metadata: [
                    "shop": "\(run.shop)", "run": "\(run.id)", "listed": "\(counts.listed)",
                    "confirmed": "\(counts.confirmed)", "unchanged": "\(counts.unchanged)",
                    "deferred": "\(counts.deferred)", "unmapped": "\(counts.unmapped)",
                    "rejected": "\(counts.rejected)", "failed": "\(counts.failed)",
                ])
        }
    }
}
