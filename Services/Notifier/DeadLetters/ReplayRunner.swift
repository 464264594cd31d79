import Concurrency
import Contracts
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit

/// Sends what replay jobs ask for, at their rate, and ends them.
///
/// A job belongs to one replica at a time, by a lease in its row; a replica that dies leaves it to another one when the
/// lease has run out. All that is known about a job is in its rows, so any replica can go on at any moment.
struct ReplayRunner: Sendable {
    /// How long another replica waits before it takes over from one that died: as long as a confirm may take.
    static let leaseSeconds = 30
    /// The pause between two rounds of one job.
    static let tick: Duration = .milliseconds(100)
    /// At most so many letters, and about so many bytes of bodies, in memory.
    static let chunk = 500
    static let chunkBytes = 4 << 20
    /// Jobs of at most so many letters are counted each round, larger ones every second.
    static let smallJob = 5_000

    private let database: ServiceDatabase
    private let sender: ReplaySender
    private let replica: UUID
    private let stop: StopSignal
    private let logger: Logger

    init(parts: ServiceParts) {
        self.init(runners: parts.runners, replica: parts.replicaID)
    }

    init(runners: RunnerParts, replica: UUID) {
        database = runners.database
        sender = ReplaySender(
            publisher: runners.publisher, database: runners.database, faults: runners.faults, logger: runners.logger)
        self.replica = replica
        stop = runners.stop
        logger = runners.logger
    }

    /// Runs jobs until the service stops, then gives them back.
    func run() async {
        let backoff = Backoff(first: .milliseconds(200), ceiling: .seconds(10))
        var failures = 0
        var held: [UUID: HeldJob] = [:]
        var lookedAt: ContinuousClock.Instant?
        while !stop.isStopping {
            do {
                let now = ContinuousClock.now
                if lookedAt.map({ $0.duration(to: now) >= .milliseconds(500) }) ?? true {
                    try await endJobs()
                    for id in try await claim() where held[id] == nil { held[id] = HeldJob() }
                    lookedAt = now
                }
                var problem: (any Error)?
                for id in held.keys where !stop.isStopping {
                    // A job in trouble keeps no other from going on.
                    do { held[id] = try await round(id, held[id] ?? HeldJob()) } catch { problem = error }
                }
                if let problem { throw problem }
                failures = 0
                let rest = (held.isEmpty ? .milliseconds(500) : Self.tick) - now.duration(to: .now)
                if rest > .zero { await stop.sleep(for: rest) }
            } catch {
                failures += 1
                logger.warning("replay interrupted, trying again", metadata: ["problem": "\(error)"])
                await stop.sleep(for: backoff.delay(afterFailures: failures))
            }
        }
        // In a task of its own: a shutdown that ran out of patience cancels this one.
        await Task {
            do { try await giveBack(nil) } catch {
                // The lease runs out by itself.
                logger.notice("replay jobs not given back", metadata: ["problem": "\(error)"])
            }
        }.value
    }

    /// What this replica remembers of a job between two rounds; losing it costs nothing but a second of its rate.
    struct HeldJob: Sendable {
        var pace: ReplayPace?
        var rate = 0.0
        var counts = ReplayCounts()
        var countedAt: ContinuousClock.Instant?
        /// Not before then, because the broker did not take something.
        var notBefore: ContinuousClock.Instant?
    }

    // MARK: One job

    /// One step of a job; nil if it is not this replica's any more.
    private func round(_ id: UUID, _ before: HeldJob) async throws -> HeldJob? {
        guard let job = try await renew(id) else {
            try await giveBack(id)
            return nil
        }
        if job.state == "cancelled" {
            try await takeBack(id)
            try await giveBack(id)
            return nil
        }
        var held = before
        let now = ContinuousClock.now
        if let notBefore = held.notBefore, now < notBefore { return held }
        held.notBefore = nil
        held = try await counted(held, id, job, now)
        if held.rate != job.terms.ratePerSecond || held.pace == nil {
            held.pace = ReplayPace(ratePerSecond: job.terms.ratePerSecond, now: now)
            held.rate = job.terms.ratePerSecond
        }
        let allowance = held.pace?.allowance(now: now) ?? 0
        switch ReplayDecision.next(job.terms, held.counts, allowance: allowance) {
        case .wait: break
        case .publish(let count):
            held = try await publish(min(count, Self.chunk), of: id, held, now)
        case .stop(let reason):
            try await end(id, "stopped", reason)
            try await giveBack(id)
            logger.warning("replay job stopped itself", metadata: ["job": "\(id)", "reason": "\(reason)"])
            return nil
        case .done:
            try await endJobs()
            return nil
        }
        return held
    }

    private func publish(
        _ count: Int, of id: UUID, _ before: HeldJob, _ now: ContinuousClock.Instant
    ) async throws -> HeldJob {
        var held = before
        let result = try await sender.send(atMost: count, of: id)
        held.pace?.spend(result.sent)
        held.counts.requested -= result.sent
        held.counts.canaryRequested = max(0, held.counts.canaryRequested - result.sent)
        if result.taken == 0 { held.countedAt = nil }
        if result.isHeldUp { held.notBefore = now + .seconds(1) }
        return held
    }

    /// The counts the decision goes by. Counting all items of a large job takes tens of milliseconds, so that is done
    /// once a second; what is on the broker is few rows and counted each time.
    private func counted(
        _ before: HeldJob, _ id: UUID, _ job: LeasedJob, _ now: ContinuousClock.Instant
    ) async throws -> HeldJob {
        var held = before
        let isFresh = held.countedAt.map { $0.duration(to: now) < .seconds(1) } ?? false
        if isFresh && job.letters > Self.smallJob && held.counts.requested > 0 {
            let rows = try await database.pool.query(
                "SELECT count(*) FROM dead_letters.job_items WHERE job = $1 AND state = 'published'", [.uuid(id)])
            held.counts.published = try rows.first?.decode(at: 0) ?? 0
        } else {
            held.counts = try await count(id, job)
            held.countedAt = now
        }
        return held
    }

    private func count(_ id: UUID, _ job: LeasedJob) async throws -> ReplayCounts {
        let rows = try await database.pool.query(
            """
            SELECT count(*) FILTER (WHERE state = 'requested') AS requested,
                count(*) FILTER (WHERE state = 'published') AS published,
                count(*) FILTER (WHERE judged) AS judged,
                count(*) FILTER (WHERE judged AND state IN ('failed_again', 'undeliverable')) AS failed,
                (SELECT count(*) FILTER (WHERE c.state = 'requested') FROM (
                    SELECT state FROM dead_letters.job_items WHERE job = $1 ORDER BY letter LIMIT $3) c)
                    AS canary_requested,
                (SELECT count(*) FILTER (WHERE c.state IN ('requested', 'published')) FROM (
                    SELECT state FROM dead_letters.job_items WHERE job = $1 ORDER BY letter LIMIT $3) c) AS canary_open
            FROM (SELECT state, settled_at > coalesce($2::timestamptz, '-infinity')
                    AND state NOT IN ('requested', 'published', 'withdrawn') AS judged
                FROM dead_letters.job_items WHERE job = $1) i
            """, [.uuid(id), .maybe(job.judgedFrom) { .timestamp($0) }, .int(job.terms.canary)])
        var counts = ReplayCounts()
        guard let row = rows.first else { return counts }
        counts.requested = try row.decode("requested")
        counts.published = try row.decode("published")
        counts.judged = try row.decode("judged")
        counts.failed = try row.decode("failed")
        counts.canaryRequested = try row.decode("canary_requested")
        counts.canaryOpen = try row.decode("canary_open")
        return counts
    }
}

// MARK: Rows of jobs

extension ReplayRunner {
    /// A job as its runner sees it.
    private struct LeasedJob: Sendable {
        let state: String
        let letters: Int
        let terms: ReplayTerms
        let judgedFrom: Date?
    }

    /// Takes the lease of every job that has work to do and no other runner.
    private func claim() async throws -> [UUID] {
        let rows = try await database.pool.query(
            """
            UPDATE dead_letters.jobs SET lease_owner = $1,
                lease_until = clock_timestamp() + make_interval(secs => $2)
            WHERE id IN (
                SELECT id FROM dead_letters.jobs j
                WHERE (state = 'running' OR (state = 'cancelled' AND ended_at IS NULL AND EXISTS (
                        SELECT 1 FROM dead_letters.job_items i WHERE i.job = j.id AND i.state = 'requested')))
                    AND (lease_owner IS NULL OR lease_owner = $1 OR lease_until < clock_timestamp())
                ORDER BY created_at FOR UPDATE SKIP LOCKED)
            RETURNING id
            """, [.uuid(replica), .int(Self.leaseSeconds)])
        return try rows.map { try $0.decode("id") }
    }

    /// Keeps the lease and reads the job; nil if it rests, is over or is somebody else's.
    private func renew(_ id: UUID) async throws -> LeasedJob? {
        let rows = try await database.pool.query(
            """
            UPDATE dead_letters.jobs SET lease_until = clock_timestamp() + make_interval(secs => $3)
            WHERE id = $1 AND lease_owner = $2 AND state IN ('running', 'cancelled')
            RETURNING state, letters, rate_per_second, canary, stop_share, judged_from
            """, [.uuid(id), .uuid(replica), .int(Self.leaseSeconds)])
        return try rows.first.map { row in
            LeasedJob(
                state: try row.decode("state"), letters: try row.decode("letters"),
                terms: ReplayTerms(
                    ratePerSecond: try row.decode("rate_per_second"), canary: try row.decode("canary"),
                    stopShare: try row.decode("stop_share")),
                judgedFrom: try row.decode("judged_from"))
        }
    }

    /// Ends the lease of one job, or of all.
    private func giveBack(_ id: UUID?) async throws {
        _ = try await database.pool.query(
            """
            UPDATE dead_letters.jobs SET lease_owner = NULL, lease_until = NULL
            WHERE lease_owner = $1 AND ($2::uuid IS NULL OR id = $2)
            """, [.uuid(replica), .maybe(id) { .uuid($0) }])
    }

    private func end(_ id: UUID, _ state: String, _ reason: String) async throws {
        _ = try await database.pool.query(
            "UPDATE dead_letters.jobs SET state = $2, state_reason = $3 WHERE id = $1 AND state = 'running'",
            [.uuid(id), .text(state), .text(reason)])
    }

    /// Ends every job whose last item has its outcome, also one that rests meanwhile.
    private func endJobs() async throws {
        try await database.unitOfWork { work in
            try work.transaction.execute(
                """
                UPDATE dead_letters.jobs j SET ended_at = $1, lease_owner = NULL, lease_until = NULL,
                    state = CASE state WHEN 'cancelled' THEN state ELSE 'done' END,
                    state_reason = CASE state WHEN 'cancelled' THEN state_reason END
                WHERE ended_at IS NULL
                    AND NOT EXISTS (SELECT 1 FROM dead_letters.job_items i WHERE i.job = j.id AND i.state = 'requested')
                    AND NOT EXISTS (SELECT 1 FROM dead_letters.job_items i WHERE i.job = j.id AND i.state = 'published')
                """, [.timestamp(work.startedAt)])
        }
    }

    /// Makes what a cancelled job has not sent dead letters again.
    private func takeBack(_ id: UUID) async throws {
        var count = 0
        repeat {
            count = try await database.unitOfWork { work in
                try work.transaction.execute(
                    """
                    WITH chosen AS (
                        SELECT letter FROM dead_letters.job_items WHERE job = $1 AND state = 'requested'
                        ORDER BY letter LIMIT 2000 FOR UPDATE
                    ), items AS (
                        UPDATE dead_letters.job_items i SET state = 'withdrawn', settled_at = $2::timestamptz
                        FROM chosen WHERE i.job = $1 AND i.letter = chosen.letter RETURNING i.letter
                    ), moved AS (
                        UPDATE dead_letters.letters l SET state = 'waiting', state_at = $2::timestamptz
                        FROM items WHERE l.id = items.letter AND l.state = 'replaying' AND l.job = $1
                    )
                    INSERT INTO dead_letters.history (letter, at, step, who, detail)
                    SELECT letter, $2::timestamptz, 'withdrawn', 'notifier', 'Replay job ' || $1::uuid || '.' FROM items
                    """, [.uuid(id), .timestamp(work.startedAt)])
            }
        } while count > 0 && !stop.isStopping
    }
}
