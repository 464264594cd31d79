import RabbitMQ

/// The names of the headers we write and read.
enum HeaderName {
    /// What the names of the CloudEvents attributes begin with.
    static let attributePrefix = "cloudEvents_"
    static let specVersion = "cloudEvents_specversion"
    static let id = "cloudEvents_id"
    static let type = "cloudEvents_type"
    static let source = "cloudEvents_source"
    static let subject = "cloudEvents_subject"
    static let time = "cloudEvents_time"
    static let dataSchema = "cloudEvents_dataschema"
    static let traceParent = "traceparent"
    static let traceState = "tracestate"

    static let attempt = "stockbridge-attempt"
    static let firstFailedAt = "stockbridge-first-failed-at"
    static let failedAt = "stockbridge-failed-at"
    static let errorClass = "stockbridge-error-class"
    static let errorCode = "stockbridge-error-code"
    static let errorMessage = "stockbridge-error-message"
    static let fingerprint = "stockbridge-fingerprint"
    static let originExchange = "stockbridge-origin-exchange"
    static let originKey = "stockbridge-origin-key"
    static let service = "stockbridge-service"
    static let host = "stockbridge-host"
    static let replayID = "stockbridge-replay-id"

    /// What a failure wrote, and a message that is sent again must not carry any more.
    static let ofFailures: Set<String> = [
        attempt, failedAt, errorClass, errorCode, errorMessage, fingerprint, service, host, replayID,
    ]

    /// What the broker writes and must not be published again: a message that keeps `x-death` goes through a retry
    /// tier once and is then dropped by RabbitMQ 3.10's cycle detection without a trace.
    static func belongsToBroker(_ name: String) -> Bool {
        name == "x-death" || name.hasPrefix("x-first-death-") || name.hasPrefix("x-last-death-")
            || name == "x-delivery-count" || name == "x-acquired-count"
    }
}

extension MessageProperties {
    /// Without what the broker added on the way: what every message loses before it is published again.
    var withoutBrokerHeaders: MessageProperties {
        var kept = self
        kept.headers = headers.filter { !HeaderName.belongsToBroker($0.key) }
        return kept
    }
}
