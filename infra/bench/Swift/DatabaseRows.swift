import PostgreSQL

/// The wrapper over libpq alone.
struct DatabaseRows {
    let fixture: Fixture
    let count: Int
    private static let batch = 1_000

    init(count: Int) throws {
        fixture = try Fixture()
        self.count = count
    }

    /// A snapshot: COPY into a staging table, then only what differs from `bench.levels` is written.
    func copy() async throws -> Measurement {
        let pool = PostgresPool(fixture.database, maximumConnections: 1)
        let count = self.count
        let start = ContinuousClock.now
        try await pool.transaction { transaction in
            try transaction.script(
                "CREATE TEMP TABLE staging (sku text, warehouse text, on_hand bigint) ON COMMIT DROP")
            try transaction.copy(into: "staging", columns: ["sku", "warehouse", "on_hand"]) { writer in
                for number in 0..<count {
                    writer.text("HS\(1_000_000 + number / 2)")
                    writer.text(number % 2 == 0 ? "HN" : "HCM")
                    writer.integer(number % 20 == 0 ? number + 1 : number)
                    try writer.endRow()
                }
            }
            try transaction.execute(
                """
                INSERT INTO levels AS l (sku, warehouse, on_hand) SELECT sku, warehouse, on_hand FROM staging
                ON CONFLICT (sku, warehouse) DO UPDATE SET on_hand = excluded.on_hand
                WHERE l.on_hand IS DISTINCT FROM excluded.on_hand
                """)
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        await pool.close()
        return Measurement(seconds: seconds, count: count)
    }

    /// Batches of 1,000 by unnest, a transaction each; one row in twenty differs.
    func upsert() async throws -> Measurement {
        let pool = PostgresPool(fixture.database, maximumConnections: 1)
        let start = ContinuousClock.now
        for first in stride(from: 0, to: count, by: Self.batch) {
            let numbers = first..<min(first + Self.batch, count)
            let parameters: [PostgresValue] = [
                .textArray(numbers.map { "HS\(1_000_000 + $0 / 2)" }),
                .textArray(numbers.map { $0 % 2 == 0 ? "HN" : "HCM" }),
                .integerArray(numbers.map { Int64($0 % 20 == 0 ? $0 + 1 : $0) }),
            ]
            _ = try await pool.query(
                """
                INSERT INTO levels AS l (sku, warehouse, on_hand)
                SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
                ON CONFLICT (sku, warehouse) DO UPDATE SET on_hand = excluded.on_hand
                WHERE l.on_hand IS DISTINCT FROM excluded.on_hand
                """, parameters)
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        await pool.close()
        return Measurement(seconds: seconds, count: count)
    }
}
