import CoreMetrics
import PostgreSQL
import Testing

@testable import Messaging
@testable import ServiceKit

@Suite("Measurements and what a scrape shows of them")
struct MeasurementTests {
    private let start = ContinuousClock.now

    private func lines(_ metrics: PrometheusMetrics, after wait: Duration = .zero) -> [String] {
        metrics.text(at: start + wait).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    @Test("the readings of a measurement take the place of those before")
    func replaced() {
        let metrics = PrometheusMetrics()
        metrics.replace(
            "breakers",
            with: [Reading("breaker.open", ["account": "a"], 1), Reading("breaker.open", ["account": "b"], 0)],
            at: start)
        metrics.replace("breakers", with: [Reading("breaker.open", ["account": "b"], 1)], at: start)
        #expect(lines(metrics).contains(#"breaker_open{account="b"} 1"#))
        #expect(!lines(metrics).contains { $0.contains(#"account="a""#) })
    }

    @Test("readings that were not renewed for a minute are not shown, and that is said")
    func stale() {
        let metrics = PrometheusMetrics()
        metrics.replace("feeds", with: [Reading("feed.age.seconds", ["shop": "hanoi"], 7)], at: start)
        #expect(lines(metrics, after: .seconds(60)).contains(#"feed_age_seconds{shop="hanoi"} 7"#))
        #expect(lines(metrics, after: .seconds(60)).contains(#"stockbridge_measurement_up{measurement="feeds"} 1"#))
        #expect(!lines(metrics, after: .seconds(61)).contains { $0.hasPrefix("feed_age_seconds") })
        #expect(lines(metrics, after: .seconds(61)).contains(#"stockbridge_measurement_up{measurement="feeds"} 0"#))
    }

    @Test("a measurement that fails shows nothing of before, and another is not concerned")
    func failed() async {
        struct Deliberate: Error {}
        let metrics = PrometheusMetrics()
        metrics.replace("feeds", with: [Reading("feed.age.seconds", ["shop": "hanoi"], 7)])
        let sampler = Sampler(groups: [], metrics: metrics, stop: StopSignal())
        await sampler.sample(MetricSource(name: "feeds") { throw Deliberate() })
        await sampler.sample(MetricSource(name: "runs") { [Reading("run.open.seconds", 3)] })
        let text = metrics.text()
        #expect(!text.contains("feed_age_seconds"))
        #expect(text.contains(#"stockbridge_measurement_up{measurement="feeds"} 0"#))
        #expect(text.contains("run_open_seconds 3\n"))
    }

    @Test("readings stand among what was counted, in order, each name described once; a counter's ends with total")
    func order() {
        let metrics = PrometheusMetrics()
        metrics.makeCounter(label: "b", dimensions: []).increment(by: 2)
        metrics.replace("m", with: [Reading("c", 1.5), Reading("a", ["x": "2"], 2), Reading("a", ["x": "1"], 1)])
        let text = metrics.text(with: [Reading("process.cpu.seconds", 0.25, isCounter: true)])
        #expect(
            text.split(separator: "\n").filter { !$0.contains("stockbridge_") } == [
                "# TYPE a gauge", #"a{x="1"} 1"#, #"a{x="2"} 2"#, "# TYPE b_total counter", "b_total 2",
                "# TYPE c gauge", "c 1.5", "# TYPE process_cpu_seconds_total counter",
                "process_cpu_seconds_total 0.25",
            ])
    }

    @Test("a replica is ready when each check finds what it needs, and says which does not")
    func readiness() async throws {
        let there = ReadinessCheck(name: "database") { nil }
        let gone = ReadinessCheck(name: "broker") { "there is no connection" }
        let stop = StopSignal()
        #expect(
            try await MetricSource.readiness([there, gone], stop: stop).read() == [
                Reading("stockbridge.check", ["check": "database"], 1),
                Reading("stockbridge.check", ["check": "broker"], 0), Reading("stockbridge.ready", 0),
            ])
        #expect(try await MetricSource.readiness([there], stop: stop).read().last == Reading("stockbridge.ready", 1))
        stop.stop()
        #expect(try await MetricSource.readiness([there], stop: stop).read().last == Reading("stockbridge.ready", 0))
    }

    @Test("a pool's connections are told apart by whether somebody uses them")
    func pool() {
        let nowhere = PostgresConfiguration(host: "localhost", database: "none", user: "nobody", password: "")
        let used = PostgresPool(nowhere, maximumConnections: 3).statistics
        #expect(
            MetricSource.connections(used, most: 3) == [
                Reading("db.client.connection.count", ["db.client.connection.state": "idle"], 0),
                Reading("db.client.connection.count", ["db.client.connection.state": "used"], 0),
                Reading("db.client.connection.max", 3), Reading("db.client.connection.pending_requests", 0),
            ])
    }
}

@Suite("What the system says about a process")
struct ProcessReadingsTests {
    /// As `/proc/self/stat` of a program whose name holds a space and a bracket.
    static let stat =
        "4242 (a b) c) S 1 4242 4242 0 -1 4194560 5000 0 3 0 250 50 0 0 20 0 12 0 12300 104857600 2560 "
        + "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

    @Test("processor time, threads, start and memory are read from their fields")
    func fields() throws {
        let process = try #require(ProcessReadings(stat: Self.stat, ticksPerSecond: 100, pageBytes: 4_096))
        #expect(process.cpuSeconds == 3)
        #expect(process.threads == 12)
        #expect(process.startSeconds == 123)
        #expect(process.virtualBytes == 104_857_600)
        #expect(process.residentBytes == 2_560 * 4_096)
    }

    @Test("the start is stated as a time, where the machine's own is known")
    func start() throws {
        let process = try #require(ProcessReadings(stat: Self.stat, ticksPerSecond: 100, pageBytes: 4_096))
        let boot = ProcessReadings.bootSeconds("cpu  1 2 3\nbtime 1700000000\nprocesses 9\n")
        #expect(process.readings(bootSeconds: boot).contains(Reading("process.start_time.seconds", 1_700_000_123)))
        #expect(!process.readings(bootSeconds: nil).contains { $0.name == "process.start_time.seconds" })
    }

    @Test("the limit of open files is the soft one")
    func files() {
        let limits = """
            Limit                     Soft Limit           Hard Limit           Units
            Max processes             100                  100                  processes
            Max open files            1024                 524288               files
            """
        #expect(ProcessReadings.mostFiles(limits) == 1_024)
        #expect(ProcessReadings.mostFiles("Max open files            unlimited            unlimited") == nil)
    }

    @Test("a text that is not as the manual says gives nothing", arguments: ["", "1 (x", "1 (x) S 1 2", "1 (x) S a b"])
    func malformed(stat: String) {
        #expect(ProcessReadings(stat: stat, ticksPerSecond: 100, pageBytes: 4_096) == nil)
    }

    @Test("this process has memory, files and a start")
    func own() {
        let names = Set(ProcessReadings.now().filter { $0.value > 0 }.map(\.name))
        #expect(
            names.isSuperset(of: [
                "process.resident_memory.bytes", "process.virtual_memory.bytes", "process.threads",
                "process.start_time.seconds", "process.open_fds", "process.max_fds",
            ]))
    }
}
