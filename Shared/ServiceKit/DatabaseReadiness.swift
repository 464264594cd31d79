import PostgreSQL

extension ReadinessCheck {
    /// Whether the database answers, and takes what is written.
    ///
    /// A primary whose standby is gone answers every question and no COMMIT, for as long as it takes: without a look at
    /// that a service would call itself ready while all its work stands still.
    ///
    /// - Parameter patience: How long all connections may be in use, and a COMMIT may wait for the standby.
    static func database(_ pool: PostgresPool, patience: Duration = .seconds(10)) -> ReadinessCheck {
        ReadinessCheck(name: "database") {
            await withTaskGroup(of: Finding.self) { group in
                group.addTask { await look(at: pool, patience) }
                group.addTask {
                    try? await Task.sleep(for: patience)
                    return .nothingYet
                }
                for await finding in group {
                    // Who waits in line for a connection leaves it; what was asked is given up by limits of its own.
                    group.cancelAll()
                    if case .answer(let problem) = finding { return problem }
                }
                return "no connection has become free within \(patience)"
            }
        }
    }

    private enum Finding: Sendable {
        case answer(String?)
        case nothingYet
    }

    private static func look(at pool: PostgresPool, _ patience: Duration) async -> Finding {
        // A role sees what its own sessions wait for. Every replica writes its sign of life every few seconds.
        let question = """
            SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND usename = current_user AND wait_event = 'SyncRep'
                AND query_start < clock_timestamp() - $1 * interval '1 second'
            LIMIT 1
            """
        do throws(PostgresError) {
            let waiting = try await pool.query(question, [.double(patience / .seconds(1))])
            return .answer(
                waiting.isEmpty
                    ? nil
                    : "the primary answers no COMMIT, since its standby does not confirm any: start the standby, or "
                        + "let the primary go on alone")
        } catch .cancelled {
            return .nothingYet
        } catch {
            return .answer("\(error)")
        }
    }
}
