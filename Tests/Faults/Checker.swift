import PostgreSQL
import ProcessStack
import Synchronization

/// What a fault did, compared over shops, database, broker and mail server.
struct FaultVerdict: Sendable {
    /// What should be there and is not.
    var lost: [String] = []
    /// What is there twice.
    var duplicated: [String] = []
    /// What was overwritten by something older.
    var stale: [String] = []

    var summary: String { "\(lost.count) lost, \(duplicated.count) duplicated, \(stale.count) stale" }
}

/// Compares what should be with what is, once the system is at rest.
struct Checker {
    private let stack: ProcessStack

    init(_ stack: ProcessStack) { self.stack = stack }

    /// - Parameter morning: What the shelves have to show.
    func verdict(_ morning: Morning) async throws -> FaultVerdict {
        var verdict = FaultVerdict()
        verdict.lost += stack.wrongShelves(morning)
        try await check(morning, &verdict)
        return verdict
    }

    /// A day with orders: the shelves with open orders taken off, and every order reported or held.
    func verdictOfDay() async throws -> FaultVerdict {
        var verdict = FaultVerdict()
        verdict.lost += stack.wrongShelvesWithOrders(stack.morning)
        let reported = try ReportedOrders(stack)
        verdict.lost += reported.differences(from: stack)
        verdict.duplicated += reported.duplicated
        try await check(stack.morning, &verdict)
        return verdict
    }

    private func check(_ morning: Morning, _ verdict: inout FaultVerdict) async throws {
        try await checkRows(morning, &verdict)
        try await checkMessages(&verdict)
        try await checkMails(&verdict)
        let audit = try await WriteAudit(stack)
        verdict.stale += audit.stale
        verdict.duplicated += audit.overlapping
        if audit.throttled > 0 { verdict.duplicated.append("\(audit.throttled) calls came faster than the pace") }
    }

    /// Every row of the file is somewhere, and the file was taken once.
    private func checkRows(_ morning: Morning, _ verdict: inout FaultVerdict) async throws {
        let rows = try await stack.rows(
            """
            SELECT s.file_name, count(*), max(s.rows_read), max(s.rows_aggregated), max(s.rows_set_aside),
                max(s.rows_merged), max((SELECT count(*) FROM stock.snapshot_rows r WHERE r.snapshot_id = s.id)),
                max((SELECT count(*) FROM stock.set_aside_rows r WHERE r.snapshot_id = s.id))
            FROM stock.snapshots s GROUP BY s.file_name
            """)
        var wasTaken = false
        for row in rows {
            let file: String = try row.decode(at: 0)
            let counts = try (1...7).map { try row.decode(at: $0, as: Int.self) }
            if counts[0] != 1 { verdict.duplicated.append("\(file) became \(counts[0]) snapshots") }
            if counts[1] != counts[2] + counts[3] + counts[4] {
                verdict.lost.append("rows of \(file) are unaccounted for")
            }
            if counts[6] != counts[3] { verdict.lost.append("set-aside rows of \(file) are gone") }
            guard file == morning.accounts.name else { continue }
            wasTaken = true
            let accounts = morning.accounts
            let expected = [accounts.rows, accounts.aggregated, accounts.set_aside, accounts.duplicates_merged]
            if Array(counts[1...4]) != expected {
                verdict.lost.append("\(file) is accounted for as \(counts[1...4]) instead of \(expected)")
            }
            if counts[5] != accounts.aggregated { verdict.lost.append("\(file) has \(counts[5]) rows kept") }
        }
        if !wasTaken { verdict.lost.append("\(morning.accounts.name) was never taken") }
    }

    /// Nothing lies anywhere, dead letters included.
    private func checkMessages(_ verdict: inout FaultVerdict) async throws {
        // Shops are looked at every few seconds: what is on its way at one moment is gone at the next.
        var (waiting, unpublished) = (try await stack.waitingMessages(), try await stack.unpublished())
        for _ in 1...40 where !waiting.isEmpty || unpublished > 0 {
            try await Task.sleep(for: .milliseconds(150))
            (waiting, unpublished) = (try await stack.waitingMessages(), try await stack.unpublished())
        }
        for (queue, count) in waiting.sorted(by: { $0.key < $1.key }) {
            verdict.lost.append("\(count) messages lie in \(queue)")
        }
        if unpublished > 0 { verdict.lost.append("\(unpublished) events were never published") }
        let unanswered = try await stack.number("SELECT count(*) FROM shared.commands WHERE state <> 'done'")
        if unanswered > 0 { verdict.lost.append("\(unanswered) commands were not carried out") }
        let chunks = try await stack.number(
            """
            SELECT count(*) FROM publishing.sources s
            WHERE s.chunks <> (SELECT count(*) FROM publishing.chunks c WHERE c.snapshot_id = s.snapshot_id)
            """)
        if chunks > 0 { verdict.lost.append("chunks of \(chunks) snapshots were not applied") }
    }

    /// Every mail arrived, under one Message-ID for one thing; a repetition under the same one is the reader's
    /// program's.
    private func checkMails(_ verdict: inout FaultVerdict) async throws {
        let arrived = Set(try stack.arrivedMessageIDs())
        let written = try await stack.mails()
        for mail in written where !arrived.contains(mail.messageID) {
            verdict.lost.append("the mail '\(mail.subject)' did not arrive")
        }
        let reports = try await stack.texts(
            """
            SELECT message_id FROM erp.reports WHERE message_id IS NOT NULL
            UNION SELECT message_id FROM erp.resendings WHERE message_id IS NOT NULL
            """)
        let strange = arrived.subtracting(written.map(\.messageID)).subtracting(reports)
        if !strange.isEmpty { verdict.duplicated.append("\(strange.count) mails arrived that nobody wrote") }
        let held = try await stack.number(
            "SELECT count(*) FROM stock.snapshots WHERE state = 'held' OR decided_at IS NOT NULL")
        let told = written.filter { $0.subject.contains("is held") }.count
        if told < held { verdict.lost.append("\(held - told) held files were told to nobody") }
        if told > held { verdict.duplicated.append("\(told) mails about \(held) held files") }
    }
}

/// The sum over all faults of this run.
final class FaultTally: Sendable {
    static let shared = FaultTally()

    private struct Sum {
        var injected = 0
        var lost = 0
        var duplicated = 0
        var stale = 0
    }

    private let sum = Mutex(Sum())

    func add(_ verdict: FaultVerdict, injected: Int) {
        sum.withLock { sum in
            sum.injected += injected
            sum.lost += verdict.lost.count
            sum.duplicated += verdict.duplicated.count
            sum.stale += verdict.stale.count
        }
    }

    var text: String {
        sum.withLock {
            "faults: \($0.injected) injected, \($0.lost) lost, \($0.duplicated) duplicated, \($0.stale) stale"
        }
    }
}
