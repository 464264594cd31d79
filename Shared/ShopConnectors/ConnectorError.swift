public import Domain

/// Which shop was asked to do what.
public struct ShopCall: Sendable, Hashable {
    /// What a connector can be asked to do.
    public enum Action: String, Sendable, CaseIterable {
        /// Asking what the account may do.
        case discover = "discovery"
        /// Reading what the shop sells.
        case readCatalogue = "reading the catalogue"
        /// Reading stock.
        case readStock = "reading stock"
        /// Writing stock.
        case writeStock = "writing stock"
        /// Reading orders.
        case readOrders = "reading orders"
        /// Looking after webhooks.
        case manageWebhooks = "looking after webhooks"
    }

    /// The shop's name in the configuration.
    public let shop: ShopName
    /// What was asked.
    public let action: Action

    /// - Parameters:
    ///   - shop: the shop's name in the configuration.
    ///   - action: what was asked.
    public init(shop: ShopName, action: Action) {
        self.shop = shop
        self.action = action
    }
}

/// What came back instead of the JSON that was expected: enough to recognise a log-in page or a cut-off answer.
public struct UnexpectedAnswer: Sendable, Hashable {
    /// The HTTP status.
    public let status: Int
    /// The `Content-Type`, at most 80 characters.
    public let contentType: String?
    /// The answer's size in bytes.
    public let bytes: Int
    /// The first characters, at most 120, printable ASCII only, without credentials.
    public let beginning: String
    /// What was wrong with it.
    public let problem: String

    /// - Parameters:
    ///   - status: the HTTP status.
    ///   - contentType: cut to 80 characters.
    ///   - bytes: the answer's size.
    ///   - beginning: cut to 120 characters.
    ///   - problem: what was wrong with it.
    public init(status: Int, contentType: String?, bytes: Int, beginning: String, problem: String) {
        self.status = status
        self.contentType = contentType.map { String($0.prefix(80)) }
        self.bytes = bytes
        self.beginning = String(beginning.prefix(120))
        self.problem = problem
    }
}

/// Why a call to a shop did not do what was asked. Holds no credentials.
public enum ConnectorError: Error, Sendable, Equatable {
    /// 401: the credentials are wrong, withdrawn, or lack a right. Permanent.
    case unauthorized(ShopCall, code: String?)
    /// 403: the account may not do this, or something before the shop blocks us. Permanent.
    case forbidden(ShopCall, code: String?)
    /// 429: too many calls. Nothing was done.
    case throttled(ShopCall, retryAfterSeconds: Double?)
    /// 5xx, or another answer by which the shop says that it cannot now.
    case unavailable(ShopCall, status: Int, retryAfterSeconds: Double?)
    /// An answer that is not what the platform speaks, such as HTML instead of JSON. Says nothing about an outage.
    case malformedAnswer(ShopCall, UnexpectedAnswer)
    /// No answer in time; `maybeApplied` is whether the request may have reached the shop.
    case timedOut(ShopCall, maybeApplied: Bool)
    /// The shop's name is unknown or no connection comes about; nothing was sent.
    case unreachable(ShopCall, detail: String)
    /// The shop's certificate is not accepted; nothing was sent. Permanent until somebody looks at it.
    case certificateRejected(ShopCall, detail: String)
    /// The connection broke; `maybeApplied` is whether the request may have reached the shop.
    case connectionLost(ShopCall, maybeApplied: Bool)
    /// The caller stopped waiting; `maybeApplied` is whether the request may have reached the shop.
    case cancelled(ShopCall, maybeApplied: Bool)
    /// The shop refuses this request as a whole, with its own code and words. Permanent.
    case refused(ShopCall, status: Int, code: String?, message: String)
    /// 413: the shop takes fewer items a call than were sent. Nothing was done; send smaller batches.
    case batchTooLarge(ShopCall, items: Int)
    /// The answer is larger than this connector is ready to hold.
    case answerTooLarge(ShopCall, limitBytes: Int)
    /// The shop or the account cannot do this.
    case unsupported(ShopCall, capability: String)
    /// The pace refused a turn; nothing was sent.
    case notPaced(ShopCall, PacingRefusal)
    /// The call breaks a rule of the connector protocol and was not sent: a mistake of ours.
    case invalidCall(ShopCall, detail: String)
}

extension ConnectorError {
    /// What a caller may do about an error.
    public enum Disposition: Sendable {
        /// May go better later.
        case transient
        /// Goes wrong again until somebody changes something.
        case permanent
        /// A mistake in this program.
        case defect
    }

    /// What a caller may do about it.
    public var disposition: Disposition {
        switch self {
        case .throttled, .unavailable, .timedOut, .unreachable, .connectionLost, .malformedAnswer, .notPaced,
            .cancelled:
            .transient
        case .unauthorized, .forbidden, .certificateRejected, .refused, .batchTooLarge, .answerTooLarge, .unsupported:
            .permanent
        case .invalidCall: .defect
        }
    }

    /// Whether it speaks for an outage of the whole shop and so counts for its circuit breaker: connection errors,
    /// time-outs, 5xx and 429. Never an answer that could not be understood.
    public var countsAsOutage: Bool {
        switch self {
        case .throttled, .timedOut, .unreachable, .connectionLost, .certificateRejected: true
        case .unavailable(_, let status, _): status >= 500
        case .unauthorized, .forbidden, .malformedAnswer, .refused, .batchTooLarge, .answerTooLarge, .unsupported,
            .notPaced, .cancelled, .invalidCall:
            false
        }
    }

    /// Whether a write may have been applied although it failed: then read back before writing again, once the
    /// request's longest life is over. Always false for reading.
    public var mayHaveBeenApplied: Bool {
        guard call.action == .writeStock else { return false }
        return switch self {
        case .timedOut(_, let maybeApplied), .connectionLost(_, let maybeApplied), .cancelled(_, let maybeApplied):
            maybeApplied
        // A shop can fail after it stored the numbers, and a proxy can give up on one that goes on working.
        case .unavailable(_, let status, _): status >= 500
        case .malformedAnswer(_, let answer): answer.status < 300
        case .answerTooLarge: true
        case .unauthorized, .forbidden, .throttled, .unreachable, .certificateRejected, .refused, .batchTooLarge,
            .unsupported, .notPaced, .invalidCall:
            false
        }
    }

    /// Seconds after which the shop (or the pace) wants to be asked again, where it said so.
    public var retryAfterSeconds: Double? {
        switch self {
        case .throttled(_, let seconds), .unavailable(_, _, let seconds): seconds
        case .notPaced(_, .breakerOpen(let seconds)): seconds
        case .notPaced(_, .tooLong(let seconds)): seconds
        default: nil
        }
    }

    /// Which shop was asked to do what.
    public var call: ShopCall {
        switch self {
        case .unauthorized(let call, _), .forbidden(let call, _), .throttled(let call, _),
            .unavailable(let call, _, _), .malformedAnswer(let call, _), .timedOut(let call, _),
            .cancelled(let call, _), .unreachable(let call, _), .certificateRejected(let call, _),
            .connectionLost(let call, _),
            .refused(let call, _, _, _), .batchTooLarge(let call, _), .answerTooLarge(let call, _),
            .unsupported(let call, _), .notPaced(let call, _), .invalidCall(let call, _):
            call
        }
    }

    /// From a closed set, so it is safe as a metric dimension and as the code of a failed push.
    public var label: String {
        switch self {
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .throttled: "throttled"
        case .unavailable: "unavailable"
        case .malformedAnswer: "malformed_answer"
        case .timedOut: "timed_out"
        case .unreachable: "unreachable"
        case .certificateRejected: "certificate_rejected"
        case .connectionLost: "connection_lost"
        case .cancelled: "cancelled"
        case .refused: "refused"
        case .batchTooLarge: "batch_too_large"
        case .answerTooLarge: "answer_too_large"
        case .unsupported: "unsupported"
        case .notPaced: "not_paced"
        case .invalidCall: "invalid_call"
        }
    }
}
