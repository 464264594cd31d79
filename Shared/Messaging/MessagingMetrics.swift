import Metrics

/// Counters under OpenTelemetry's names for messaging; dimensions are queue names and closed sets only.
enum MessagingMetrics {
    static func processed(queue: String, count: Int) {
        Counter(
            label: "messaging.client.consumed.messages",
            dimensions: [("messaging.destination.name", queue), ("result", "done")]
        ).increment(by: count)
    }

    static func settled(queue: String, _ settlement: Settlement) {
        let result =
            switch settlement {
            case .acknowledge: "done"
            case .delay: "delayed"
            case .deadLetter: "dead"
            case .pause: "deferred"
            }
        Counter(
            label: "messaging.client.consumed.messages",
            dimensions: [("messaging.destination.name", queue), ("result", result)]
        ).increment()
    }

    static func relayed(service: String, count: Int) {
        Counter(label: "messaging.client.sent.messages", dimensions: [("service", service)]).increment(by: count)
    }

    static func outboxLag(service: String, seconds: Double) {
        Gauge(label: "stockbridge.outbox.lag.seconds", dimensions: [("service", service)]).record(seconds)
    }
}
