import CoreMetrics
import Testing

@testable import ServiceKit

@Suite("Metrics in the Prometheus text format")
struct PrometheusMetricsTests {
    @Test("counters, gauges and summaries are written with their types, labels and values")
    func text() {
        let metrics = PrometheusMetrics()
        metrics.makeCounter(label: "messaging.client.sent.messages", dimensions: [("service", "notifier")])
            .increment(by: 3)
        metrics.makeCounter(label: "messaging.client.sent.messages", dimensions: [("service", "notifier")])
            .increment(by: 4)
        let gauge = metrics.makeRecorder(label: "outbox.lag", dimensions: [], aggregate: false)
        gauge.record(7.5)
        gauge.record(2.25)
        let timer = metrics.makeTimer(label: "call", dimensions: [("shop", "hanoi"), ("action", "read")])
        timer.recordNanoseconds(1_500_000_000)
        timer.recordNanoseconds(500_000_000)
        #expect(
            metrics.text() == """
                # TYPE call_seconds summary
                call_seconds_sum{action="read",shop="hanoi"} 2
                call_seconds_count{action="read",shop="hanoi"} 2
                # TYPE messaging_client_sent_messages_total counter
                messaging_client_sent_messages_total{service="notifier"} 7
                # TYPE outbox_lag gauge
                outbox_lag 2.25
                # TYPE stockbridge_metric_series_dropped_total counter
                stockbridge_metric_series_dropped_total 0

                """)
    }

    @Test("label values are escaped and names hold nothing but letters, digits and underscores")
    func escaping() {
        let metrics = PrometheusMetrics()
        metrics.makeCounter(label: "a b-c", dimensions: [("the key", "C:\\x \"y\"\nz")]).increment(by: 1)
        #expect(metrics.text().contains(#"a_b_c_total{the_key="C:\\x \"y\"\nz"} 1"#))
    }

    @Test("a summary that was recorded as a whole keeps its sum and its count")
    func summary() {
        let metrics = PrometheusMetrics()
        let recorder = metrics.makeRecorder(label: "rows", dimensions: [], aggregate: true)
        recorder.record(Int64(5))
        recorder.record(0.5)
        #expect(metrics.text().contains("rows_sum 5.5\nrows_count 2\n"))
    }

    @Test("above the limit new series are dropped and counted, and old ones go on")
    func limit() {
        let metrics = PrometheusMetrics()
        for number in 0..<PrometheusMetrics.seriesLimit + 5 {
            metrics.makeCounter(label: "x", dimensions: [("n", "\(number)")]).increment(by: 1)
        }
        metrics.makeCounter(label: "x", dimensions: [("n", "0")]).increment(by: 1)
        let text = metrics.text()
        #expect(text.contains("x_total{n=\"0\"} 2\n"))
        #expect(text.contains("stockbridge_metric_series_dropped_total 5\n"))
    }
}
