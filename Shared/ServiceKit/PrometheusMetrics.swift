import Foundation
public import Metrics
import Synchronization

/// Keeps metrics in memory and writes them in the Prometheus text format, version 0.0.4.
///
/// Every dimension in this code base comes from a closed set or from the configuration, so the number of series is
/// bounded; above ``seriesLimit`` new series are dropped and counted.
public final class PrometheusMetrics: MetricsFactory {
    /// The largest number of series kept.
    public static let seriesLimit = 10_000

    enum Kind: String { case counter, gauge, summary }

    struct Series: Hashable {
        let name: String
        let labels: String
    }

    struct Value {
        var kind: Kind
        var sum: Double = 0
        var count: Int64 = 0
    }

    /// Readings that are not renewed for so long are not shown: better no number than an old one.
    public static let staleAfter: Duration = .seconds(60)

    /// What a measurement said last; nil if it failed.
    private struct Taken {
        var readings: [Reading]?
        var at: ContinuousClock.Instant
    }

    private struct Store {
        var values: [Series: Value] = [:]
        var taken: [String: Taken] = [:]
        var dropped: Int64 = 0
    }

    private let store = Mutex(Store())

    /// An empty set.
    public init() {}

    /// Puts the readings of a measurement in the place of those before; nil says that it failed.
    public func replace(_ measurement: String, with readings: [Reading]?, at now: ContinuousClock.Instant = .now) {
        store.withLock { $0.taken[measurement] = Taken(readings: readings, at: now) }
    }

    /// The text that a scrape gets.
    ///
    /// - Parameter momentary: What is read for this text only.
    public func text(with momentary: [Reading] = [], at now: ContinuousClock.Instant = .now) -> String {
        let (counted, taken, dropped) = store.withLock { ($0.values, $0.taken, $0.dropped) }
        var values = counted
        func show(_ reading: Reading) {
            let series = Self.series(
                reading.name, reading.dimensions.map { ($0.key, $0.value) }, suffix: reading.isCounter ? "_total" : "")
            values[series] = Value(kind: reading.isCounter ? .counter : .gauge, sum: reading.value, count: 1)
        }
        momentary.forEach(show)
        for (name, last) in taken {
            let fresh = last.at.duration(to: now) <= Self.staleAfter ? last.readings : nil
            fresh?.forEach(show)
            show(Reading("stockbridge.measurement.up", ["measurement": name], fresh == nil ? 0 : 1))
        }
        return Self.text(of: values, dropped: dropped)
    }

    private static func text(of values: [Series: Value], dropped: Int64) -> String {
        var lines: [String] = []
        var described = Set<String>()
        for (series, value) in values.sorted(by: { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }) {
            if described.insert(series.name).inserted { lines.append("# TYPE \(series.name) \(value.kind.rawValue)") }
            switch value.kind {
            case .counter, .gauge:
                lines.append("\(series.name)\(series.labels) \(number(value.sum))")
            case .summary:
                lines.append("\(series.name)_sum\(series.labels) \(number(value.sum))")
                lines.append("\(series.name)_count\(series.labels) \(value.count)")
            }
        }
        lines.append("# TYPE stockbridge_metric_series_dropped_total counter")
        lines.append("stockbridge_metric_series_dropped_total \(dropped)")
        return lines.joined(separator: "\n") + "\n"
    }

    func change(_ series: Series, _ kind: Kind, _ body: (inout Value) -> Void) {
        store.withLock { store in
            if store.values[series] == nil, store.values.count >= Self.seriesLimit {
                store.dropped += 1
                return
            }
            body(&store.values[series, default: Value(kind: kind)])
        }
    }

    private static func number(_ value: Double) -> String {
        value.isFinite && value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    static func series(_ label: String, _ dimensions: [(String, String)], suffix: String = "") -> Series {
        func name(_ text: String) -> String {
            String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        }
        func escaped(_ text: String) -> String {
            text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        }
        let labels = dimensions.sorted { $0.0 < $1.0 }.map { "\(name($0.0))=\"\(escaped($0.1))\"" }
        return Series(
            name: name(label) + suffix, labels: labels.isEmpty ? "" : "{" + labels.joined(separator: ",") + "}")
    }

    /// A counter; `_total` is added to its name.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(store: self, series: Self.series(label, dimensions, suffix: "_total"), kind: .counter)
    }

    /// A gauge.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        Handler(store: self, series: Self.series(label, dimensions), kind: aggregate ? .summary : .gauge)
    }

    /// A summary in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Handler(store: self, series: Self.series(label, dimensions, suffix: "_seconds"), kind: .summary)
    }

    /// Nothing to give back: series live as long as the process.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Nothing to give back: series live as long as the process.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Nothing to give back: series live as long as the process.
    public func destroyTimer(_ handler: any TimerHandler) {}
}

private final class Handler: CounterHandler, RecorderHandler, TimerHandler {
    let store: PrometheusMetrics
    let series: PrometheusMetrics.Series
    let kind: PrometheusMetrics.Kind

    init(store: PrometheusMetrics, series: PrometheusMetrics.Series, kind: PrometheusMetrics.Kind) {
        self.store = store
        self.series = series
        self.kind = kind
    }

    func increment(by amount: Int64) { store.change(series, kind) { $0.sum += Double(amount) } }

    func reset() { store.change(series, kind) { $0.sum = 0 } }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        store.change(series, kind) { held in
            held.sum = kind == .gauge ? value : held.sum + value
            held.count += 1
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
