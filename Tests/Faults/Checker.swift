import PostgreSQL
import ProcessStack

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
    private let tap: MessageTap?
    private let deadLetters: Int

    /// - Parameters:
    ///   - tap: Knows every message that there was, so that each can be accounted for.
    ///   - deadLetters: How many the fault has to leave: each is a finding otherwise.
    init(_ stack: ProcessStack, tap: MessageTap? = nil, deadLetters: Int = 0) {
        (self.stack, self.tap, self.deadLetters) = (stack, tap, deadLetters)
    }

    /// - Parameter morning: What the shelves have to show.
    func verdict(_ morning: Morning) async throws -> FaultVerdict {
        var verdict = FaultVerdict()
        verdict.lost += stack.wrongShelves(morning)
        try await check(morning, &verdict)
        return verdict
    }

    /// A day with orders: the shelves with open orders taken off, and every order reported or held.
    ///
    /// - Parameter morning: The file that counts; the first one unless another came since.
    func verdictOfDay(_ morning: Morning? = nil) async throws -> FaultVerdict {
        let morning = morning ?? stack.morning
        var verdict = FaultVerdict()
        verdict.lost += stack.wrongShelvesWithOrders(morning)
        let reported = try ReportedOrders(stack)
        verdict.lost += reported.differences(from: stack)
        verdict.duplicated += reported.duplicated
        try await check(morning, &verdict)
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
        for _ in 1...40 where waiting.keys.contains(where: { !$0.hasSuffix(".dead") }) || unpublished > 0 {
            try await Task.sleep(for: .milliseconds(150))
            (waiting, unpublished) = (try await stack.waitingMessages(), try await stack.unpublished())
        }
        for (queue, count) in waiting.sorted(by: { $0.key < $1.key }) where !queue.hasSuffix(".dead") {
            verdict.lost.append("\(count) messages lie in \(queue)")
        }
        try await checkUnfinished(&verdict)
        if let tap { verdict.lost += try await tap.unaccountedFor() }
        if unpublished > 0 { verdict.lost.append("\(unpublished) events were never published") }
        let unanswered = try await stack.number("SELECT count(*) FROM shared.commands WHERE state <> 'done'")
        if unanswered > 0 { verdict.lost.append("\(unanswered) commands were not carried out") }
        let chunks = try await stack.number(
            """
            SELECT count(*) FROM publishing.sources s
            WHERE s.chunks <> (SELECT count(*) FROM publishing.chunks c WHERE c.snapshot_id = s.snapshot_id)
            """)
        if chunks > 0 { verdict.lost.append("chunks of \(chunks) snapshots were not applied") }
        // Last: what the archiver had in its hands when the queues were looked at, it has stored by now.
        try await checkDeadLetters(waiting.filter { $0.key.hasSuffix(".dead") }, &verdict)
    }

    /// Only those dead letters that the fault has to leave; those of the archiver that wait for a person are the same
    /// as those that lie in a queue.
    private func checkDeadLetters(_ queues: [String: Int], _ verdict: inout FaultVerdict) async throws {
        let letters = try await stack.texts(
            """
            SELECT format('%s of %s: %s', topic, queue, left(error_message, 300)) FROM dead_letters.letters
            WHERE state = 'waiting' ORDER BY id
            """)
        let count = letters.count + queues.values.reduce(0, +)
        if count > deadLetters {
            verdict.lost.append("\(count) dead letters instead of \(deadLetters): \(queues), \(letters.prefix(4))")
        }
        if count < deadLetters { verdict.lost.append("\(deadLetters - count) dead letters are missing") }
        let replaying = try await stack.number("SELECT count(*) FROM dead_letters.letters WHERE state = 'replaying'")
        if replaying > 0 { verdict.lost.append("what became of \(replaying) replayed letters is unknown") }
    }

    /// Work outside that was begun, not done, and is no dead letter. Shops are looked at every few seconds: a pass that
    /// has only begun gets the time to be done, and what nobody works on any more never is.
    private func checkUnfinished(_ verdict: inout FaultVerdict) async throws {
        var begun = try await unfinished()
        for _ in 1...100 where !begun.isEmpty {
            try await Task.sleep(for: .milliseconds(150))
            begun.formIntersection(try await unfinished())
        }
        for (schema, messages) in Dictionary(grouping: begun, by: \.schema) {
            verdict.lost.append("\(messages.count) messages in \(schema).inbox were begun and not done")
        }
    }

    private struct BegunMessage: Hashable {
        let schema: String
        let id: String
    }

    private func unfinished() async throws -> Set<BegunMessage> {
        let schemas = ["stock", "publishing", "orders", "erp", "reconciliation", "notifications"]
        var begun: Set<BegunMessage> = []
        for schema in schemas {
            let ids = try await stack.texts("SELECT message_id::text FROM \(schema).inbox WHERE NOT done")
            begun.formUnion(ids.map { BegunMessage(schema: schema, id: $0) })
        }
        let dead = try await MessageTap.dead(in: stack)
        return begun.filter { !dead.contains($0.id) }
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
        let unsent = Set(reports).subtracting(arrived).count
        if unsent > 0 { verdict.lost.append("\(unsent) order reports did not arrive at the ERP") }
        // Each reconciliation that somebody asks for has a mail of its own, which may say the same as the last.
        let again = try await stack.texts(
            """
            SELECT format('''%s'' was mailed under %s Message-IDs', subject, count(*))
            FROM notifications.mails WHERE about NOT LIKE 'reconciliation-%' GROUP BY subject, plain HAVING count(*) > 1
            """)
        verdict.duplicated += again
        if !strange.isEmpty { verdict.duplicated.append("\(strange.count) mails arrived that nobody wrote") }
        let held = try await stack.number(
            "SELECT count(*) FROM stock.snapshots WHERE state = 'held' OR decided_at IS NOT NULL")
        let told = written.filter { $0.subject.contains("is held") }.count
        if told < held { verdict.lost.append("\(held - told) held files were told to nobody") }
        if told > held { verdict.duplicated.append("\(told) mails about \(held) held files") }
    }
}
