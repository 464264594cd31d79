import Messaging
public import PostgreSQL
import RabbitMQ
import Settings

/// One value at one moment, under OpenTelemetry's way of naming: `stockbridge.orders.held`.
public struct Reading: Sendable, Equatable {
    /// What is measured; dots become underscores for Prometheus.
    public let name: String
    /// By what it is told apart: a shop, a source, a service or a closed set. Never a SKU, an order or a person.
    public let dimensions: [String: String]
    /// In the unit that the name ends with.
    public let value: Double
    /// Only ever grows while the process lives; `_total` is added to its name.
    public let isCounter: Bool

    /// States a value.
    public init(_ name: String, _ dimensions: [String: String], _ value: Double, isCounter: Bool = false) {
        (self.name, self.dimensions, self.value, self.isCounter) = (name, dimensions, value, isCounter)
    }

    /// States a value of which there is one.
    public init(_ name: String, _ value: Double, isCounter: Bool = false) {
        self.init(name, [:], value, isCounter: isCounter)
    }
}

/// Where readings come from: several that are taken together, every quarter of a minute.
///
/// They take the place of those of the last time, so that what is no longer there is no longer shown. Readings that
/// could not be renewed for a while are not shown either (``PrometheusMetrics/staleAfter``).
public struct MetricSource: Sendable {
    /// Tells it apart within its service.
    public let name: String
    /// Takes the readings.
    public let read: @Sendable () async throws -> [Reading]

    /// Describes a source.
    public init(name: String, read: @escaping @Sendable () async throws -> [Reading]) {
        self.name = name
        self.read = read
    }
}

/// A query whose rows are readings: its first columns are the dimensions, the others the values. NULL is no reading.
public struct ReadingQuery: Sendable {
    private let sql: String
    private let dimensions: [String]
    private let names: [String]

    /// - Parameters:
    ///   - dimensions: The names of the first columns, which are text.
    ///   - names: What the columns after them measure.
    public init(_ sql: String, dimensions: [String], readings names: [String]) {
        (self.sql, self.dimensions, self.names) = (sql, dimensions, names)
    }

    /// Asks the database.
    public func read(
        from pool: PostgresPool, _ parameters: [PostgresValue] = []
    ) async throws -> [Reading] {
        try await pool.query(sql, parameters).flatMap { row in
            var labels: [String: String] = [:]
            for (index, name) in dimensions.enumerated() { labels[name] = try row.decode(at: index, as: String.self) }
            return try names.enumerated().compactMap { index, name in
                try row.decode(at: dimensions.count + index, as: Double?.self).map { Reading(name, labels, $0) }
            }
        }
    }
}

/// Takes the measurements of a service again and again.
///
/// Those that ask the database follow one another, so that they need one connection; what needs none has a turn of its
/// own and is shown also while the database hangs. What was said before then goes out of sight.
struct Sampler: Sendable {
    static let everySeconds = 15

    /// Sources of one group are read one after the other.
    let groups: [[MetricSource]]
    let metrics: PrometheusMetrics
    let stop: StopSignal

    func run() async {
        await withDiscardingTaskGroup { tasks in
            for group in groups {
                tasks.addTask {
                    while !stop.isStopping {
                        for measurement in group { await sample(measurement) }
                        await stop.sleep(for: .seconds(Self.everySeconds))
                    }
                }
            }
        }
    }

    /// A failure is not logged: the readings are missing, which a rule watches, and what it is about is logged by who
    /// needs it for work.
    func sample(_ measurement: MetricSource) async {
        do {
            metrics.replace(measurement.name, with: try await measurement.read())
        } catch {
            metrics.replace(measurement.name, with: nil)
        }
    }
}

extension MetricSource {
    /// Whether the service can work.
    static func readiness(_ checks: [ReadinessCheck], stop: StopSignal) -> MetricSource {
        MetricSource(name: "readiness") {
            var readings: [Reading] = []
            for check in checks {
                let problem = await check.problem()
                readings.append(Reading("stockbridge.check", ["check": check.name], problem == nil ? 1 : 0))
            }
            let isReady = !stop.isStopping && readings.allSatisfy { $0.value == 1 }
            return readings + [Reading("stockbridge.ready", isReady ? 1 : 0)]
        }
    }

    /// Its connections to the database, and whether the broker takes anything.
    static func connections(_ parts: ServiceParts) -> MetricSource {
        let (pool, publisher) = (parts.database.pool, parts.runners.publisher)
        let most = parts.configuration.database.maximumConnections
        return MetricSource(name: "connections") {
            connections(pool.statistics, most: most)
                + [Reading("stockbridge.broker.blocked", await publisher.isBlocked ? 1 : 0)]
        }
    }

    /// A pool under OpenTelemetry's names for database clients.
    static func connections(_ used: PostgresPool.Statistics, most: Int) -> [Reading] {
        let state = "db.client.connection.state"
        return [
            Reading("db.client.connection.count", [state: "idle"], Double(used.idle)),
            Reading("db.client.connection.count", [state: "used"], Double(used.connections - used.idle)),
            Reading("db.client.connection.max", Double(most)),
            Reading("db.client.connection.pending_requests", Double(used.waiting)),
        ]
    }
}
