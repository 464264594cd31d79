import Contracts
import Foundation
import PostgreSQL

/// A replay job and how far it is.
struct ReplayJob: Sendable, Encodable {
    var id: UUID
    /// `running`, `paused`, `stopped`, `cancelled`, `done`.
    var state: String
    var stateReason: String?
    var requestedBy: String
    var reason: String
    /// JSON: what the set was chosen by.
    var filter: JSONValue?
    var letters: Int
    var ratePerSecond: Double
    var canary: Int
    var stopShare: Double
    var createdAt: Date
    var endedAt: Date?
    /// Letters by the state of their item.
    var counts: [String: Int]

    func count(_ state: String) -> Int { counts[state] ?? 0 }

    /// Letters that have an outcome.
    var settled: Int { letters - count("requested") - count("published") }
    var failures: Int { count("failed_again") + count("undeliverable") }
    /// Whether it may still send something by itself.
    var isOpen: Bool { state == "running" || state == "paused" }
    var needsAttention: Bool { failures > 0 || state == "stopped" }
}

/// A job with what failed in it.
struct ReplayJobDetail: Sendable, Encodable {
    /// Letters that failed again for the same reason.
    struct Failure: Sendable, Encodable {
        var state: String
        var sentence: String
        var letters: Int
        /// The first ids.
        var examples: [Int64]
    }

    var job: ReplayJob
    var failures: [Failure]
}

/// Reads replay jobs.
struct JobStore: Sendable {
    private static let shownFailures = 20
    private static let uuid = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"

    let database: OperatorDatabase

    private static let columns = """
        j.id, j.state, j.state_reason, j.requested_by, j.reason, j.filter, j.letters, j.rate_per_second, j.canary,
        j.stop_share, j.created_at, j.ended_at,
        coalesce((SELECT json_object_agg(c.state, c.count) FROM (
            SELECT i.state, count(*) AS count FROM dead_letters.job_items i WHERE i.job = j.id GROUP BY i.state) c),
            '{}')::text AS counts
        """

    private static func job(_ row: Row) throws -> ReplayJob {
        func json(_ column: String) throws -> JSONValue? {
            let text = try row.decode(column, as: String.self)
            return try? ContractCoding.decode(JSONValue.self, from: Array(text.utf8))
        }
        return ReplayJob(
            id: try row.decode("id"), state: try row.decode("state"), stateReason: try row.decode("state_reason"),
            requestedBy: try row.decode("requested_by"), reason: try row.decode("reason"), filter: try json("filter"),
            letters: try row.decode("letters"), ratePerSecond: try row.decode("rate_per_second"),
            canary: try row.decode("canary"), stopShare: try row.decode("stop_share"),
            createdAt: try row.decode("created_at"), endedAt: try row.decode("ended_at"),
            counts: (try json("counts")?.object ?? [:]).compactMapValues { $0.integer.map(Int.init) })
    }

    /// The newest first.
    func list(limit: Int) async throws -> [ReplayJob] {
        try await database.pool.query(
            "SELECT \(Self.columns) FROM dead_letters.jobs j ORDER BY j.created_at DESC, j.id LIMIT \(limit)"
        ).map(Self.job)
    }

    func find(_ id: IDPrefix) async throws -> UUID {
        let rows = try await database.pool.query(
            "SELECT id FROM dead_letters.jobs WHERE id::text LIKE $1 || '%' LIMIT 2", [.text(id.text)])
        return try id.only(rows, of: "replay job", list: "stockbridge dead-letters jobs")
    }

    func job(_ id: UUID) async throws -> ReplayJob? {
        try await database.pool.query(
            "SELECT \(Self.columns) FROM dead_letters.jobs j WHERE j.id = $1", [.uuid(id)]
        ).first.map(Self.job)
    }

    /// What failed again, by its sentence; ids in it would make each message a kind of its own.
    func failures(of id: UUID) async throws -> [ReplayJobDetail.Failure] {
        try await database.pool.query(
            """
            SELECT i.state, regexp_replace(regexp_replace(coalesce(i.detail, l.error_message),
                    'Message \(Self.uuid): ', '', 'g'), '\(Self.uuid)', '…', 'g') AS sentence, count(*) AS letters,
                (array_agg(i.letter ORDER BY i.letter))[1:5] AS examples
            FROM dead_letters.job_items i JOIN dead_letters.letters l ON l.id = i.letter
            WHERE i.job = $1 AND i.state IN ('failed_again', 'undeliverable')
            GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT \(Self.shownFailures)
            """, [.uuid(id)]
        ).map { row in
            ReplayJobDetail.Failure(
                state: try row.decode("state"), sentence: try row.decode("sentence"),
                letters: try row.decode("letters"), examples: try row.decode("examples"))
        }
    }
}

/// Follows a job until it needs nobody's patience any more.
struct JobWatch {
    let store: JobStore

    /// Until it is done, cancelled or stopped, or the time is up.
    func follow(_ id: UUID, seconds: Double) async throws -> ReplayJob {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: .seconds(seconds))
        var line = ProgressLine()
        defer { line.finish() }
        while true {
            guard let job = try await store.job(id) else {
                throw ToolError.failed("There is no job \(id.uuidString.lowercased()) any more.")
            }
            if seconds > 0 { line.show(JobText.progress(job)) }
            guard job.isOpen, clock.now < end else { return job }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
