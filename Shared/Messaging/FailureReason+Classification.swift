import PostgreSQL
import RabbitMQ

extension FailureReason {
    /// What an error of a handler means for its message.
    static func classify(_ error: any Error) -> FailureReason {
        switch error {
        case let reason as FailureReason:
            reason
        case let error as PostgresError:
            FailureReason(
                error.isTransient ? .transient : .defect, code: "database",
                message: "The database refused the work: \(error)")
        default:
            FailureReason(.defect, code: "handler", message: "The handler failed: \(error)")
        }
    }
}

extension RetryPolicy {
    /// What becomes of a delivery that cannot even be read: a dead letter, unless the configuration says otherwise.
    func settlement(unusable delivery: Delivery, _ reason: FailureReason) -> Settlement {
        let headers = EnvelopeHeaders(delivery.properties.headers)
        return settlement(
            of: .park(reason), attempt: max(1, headers.integer(HeaderName.attempt) ?? 1),
            isReplay: headers.text(HeaderName.replayID) != nil)
    }
}

/// Whether the database itself is away, so that no message is to blame and all of them wait.
func databaseIsAway(_ error: any Error) -> Bool {
    guard let error = error as? PostgresError else { return false }
    return switch error {
    case .connectionFailed, .connectionLost, .commitOutcomeUnknown, .unexpectedReply: true
    // Class 53 is "insufficient resources" (disk full, too many connections), 57P "operator intervention".
    case .server(let server): server.sqlState.hasPrefix("53") || server.sqlState.hasPrefix("57P")
    default: false
    }
}
