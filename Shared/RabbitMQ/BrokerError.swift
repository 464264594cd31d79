/// What can go wrong between us and the broker.
public enum BrokerError: Error, Sendable, Equatable {
    /// What was being done when it happened.
    public enum Step: String, Sendable {
        case connect, login, openChannel = "open_channel", publish, confirm, consume, settle, cancel, idle
        case declareExchange = "declare_exchange", checkExchange = "check_exchange"
        case deleteExchange = "delete_exchange", bindExchange = "bind_exchange"
        case declareQueue = "declare_queue", checkQueue = "check_queue", deleteQueue = "delete_queue"
        case bindQueue = "bind_queue", unbindQueue = "unbind_queue", purgeQueue = "purge_queue"
    }

    /// No connection could be made: name, network, TLS or a broker that is not there.
    case unreachable(host: String, port: Int, detail: String)
    /// The broker did not accept the user and password.
    case authenticationFailed(host: String, user: String)
    /// The broker answered with an error of its own: 403, 404, 405, 406, 530...
    case refused(code: Int, text: String, step: Step)
    /// The connection broke, or nothing arrived on it for two heartbeats.
    case connectionLost(step: Step, detail: String)
    /// The broker ended the subscription, usually because the queue was deleted.
    case consumerCancelled(queue: String)
    /// The broker accepts no messages at present (memory or disk alarm).
    case blocked
    /// The header table would not fit into a frame; limit ``HeaderSize/limit``. Nothing was sent.
    case headersTooLarge(bytes: Int)
    /// A name or property is longer than the 255 bytes the protocol allows. Nothing was sent.
    case fieldTooLong(field: String, bytes: Int)
    /// The broker did not answer within the limit.
    case timedOut(step: Step)
    /// A delivery of an earlier connection: the broker has already given it back to the queue.
    case staleTag
    /// The object was closed by its owner.
    case closed

    /// What a caller may do about an error.
    public enum Disposition: Sendable {
        /// Trying again later may help.
        case transient
        /// Nobody gains from trying again before somebody changes the broker or the settings.
        case permanent
        /// The calling code is wrong.
        case defect
    }

    /// What a caller may do about it.
    public var disposition: Disposition {
        switch self {
        case .unreachable, .connectionLost, .consumerCancelled, .blocked, .timedOut, .staleTag: .transient
        case .authenticationFailed: .permanent
        case .refused(let code, _, _): [311, 320, 405, 506, 541].contains(code) ? .transient : .permanent
        case .headersTooLarge, .fieldTooLong, .closed: .defect
        }
    }

    /// From a closed set, so it is safe as a metric dimension; never data off the wire.
    public var label: String {
        switch self {
        case .unreachable: "connect.unreachable"
        case .authenticationFailed: "login.authentication_failed"
        case .refused(_, _, let step): "\(step.rawValue).refused"
        case .connectionLost(let step, _): "\(step.rawValue).connection_lost"
        case .consumerCancelled: "consume.cancelled"
        case .blocked: "publish.blocked"
        case .headersTooLarge: "publish.headers_too_large"
        case .fieldTooLong: "publish.field_too_long"
        case .timedOut(let step): "\(step.rawValue).timed_out"
        case .staleTag: "settle.stale_tag"
        case .closed: "closed"
        }
    }
}

extension BrokerError: CustomStringConvertible {
    /// One sentence or two: what happened, and what follows from it.
    public var description: String {
        switch self {
        case .unreachable(let host, let port, let detail):
            "The broker at \(host):\(port) cannot be reached (\(detail)); the next use tries again after a pause."
        case .authenticationFailed(let host, let user):
            "The broker at \(host) rejected user \(user); check the user's password and permissions."
        case .refused(let code, let text, let step):
            "The broker refused the step \(step.rawValue) with \(code) (\(text))."
        case .connectionLost(let step, let detail):
            "The connection to the broker broke during \(step.rawValue) (\(detail)); the next use reconnects."
        case .consumerCancelled(let queue):
            "The broker ended the subscription to queue \(queue); the next use subscribes again if the queue exists."
        case .blocked:
            "The broker accepts no messages at present because of a memory or disk alarm; try again once it is over."
        case .headersTooLarge(let bytes):
            "The message was not sent: its headers take \(bytes) bytes and at most \(HeaderSize.limit) are allowed."
        case .fieldTooLong(let field, let bytes):
            "The message was not sent: its \(field) takes \(bytes) bytes and AMQP allows 255."
        case .timedOut(let step):
            "The broker did not answer the step \(step.rawValue) in time."
        case .staleTag:
            "The delivery belongs to a lost connection and cannot be settled; the broker delivers it again."
        case .closed:
            "The broker client was used after it was closed."
        }
    }
}
