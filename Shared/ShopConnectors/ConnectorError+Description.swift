internal import Domain

extension ConnectorError: CustomStringConvertible {
    /// A sentence: which shop, what happened, what was done about it, what to do. Holds no credentials.
    public var description: String { "Shop \(call.shop), \(call.action.rawValue): \(happened). \(advice)" }

    private var happened: String {
        switch self {
        case .unauthorized(_, let code): "the shop does not accept our credentials (401\(Self.note(code)))"
        case .forbidden(_, let code): "the shop forbids this (403\(Self.note(code)))"
        case .throttled(_, let seconds): "the shop says we call too often (429\(Self.wait(seconds)))"
        case .unavailable(_, let status, let seconds): "the shop cannot answer now (\(status)\(Self.wait(seconds)))"
        case .malformedAnswer(_, let answer):
            "the answer is not what the platform speaks: \(answer.problem) (status \(answer.status), "
                + "\(answer.contentType ?? "no content type"), \(answer.bytes) bytes, begins \"\(answer.beginning)\")"
        case .timedOut(_, let maybe): "no answer in time; " + Self.outcome(maybe)
        case .unreachable(_, let detail): "the shop cannot be reached: \(detail)"
        case .certificateRejected(_, let detail): "the shop's certificate is not accepted: \(detail)"
        case .connectionLost(_, let maybe): "the connection broke; " + Self.outcome(maybe)
        case .cancelled(_, let maybe): "the call was given up because the service is stopping; " + Self.outcome(maybe)
        case .refused(_, let status, let code, let message):
            "the shop refuses the request (\(status)\(Self.note(code))): \(message)"
        case .batchTooLarge(_, let items): "the shop does not take \(items) items in one call (413)"
        case .answerTooLarge(_, let limit): "the answer is larger than \(limit) bytes and was cut off"
        case .unsupported(_, let capability): "this shop or account is not able to do that (\(capability))"
        case .notPaced(_, let refusal): Self.explain(refusal)
        case .invalidCall(_, let detail): "the call was not made because it breaks a rule of the connector: \(detail)"
        }
    }

    private var advice: String {
        switch self {
        case .unauthorized:
            "Check the key, the secret and their right (read and write) in the shop's settings; nothing was changed."
        case .forbidden:
            "Check the account's rights, and whether a firewall or security extension blocks us; nothing was changed."
        case .throttled: "Nothing was done; it is tried again later. If it stays, lower the shop's limits."
        case .unavailable: "It is tried again later. If it stays, look at the shop's server."
        case .malformedAnswer:
            "Look at the shop: a log-in page, an extension or a proxy may be answering in its place; it is tried again."
        case .timedOut(_, true), .connectionLost(_, true), .cancelled(_, true):
            "What was written, if anything, is read back before it is written again."
        case .timedOut, .connectionLost, .cancelled: "It is tried again later."
        case .unreachable: "It is tried again later. Check the shop's address and the network."
        case .certificateRejected: "Check the certificate of the shop, or name its authority as ca_file."
        case .refused: "Nothing was changed; correct what the shop names."
        case .batchTooLarge: "Nothing was changed; lower limits.batch of this shop."
        case .answerTooLarge: "Lower limits.batch of this shop."
        case .unsupported: "Use an account with that right, or leave this out for the shop."
        case .notPaced: "Nothing was sent; it is tried again later."
        case .invalidCall: "Please report this as a defect."
        }
    }

    private static func note(_ code: String?) -> String { code.map { ", \($0)" } ?? "" }

    private static func wait(_ seconds: Double?) -> String {
        seconds.map { ", asks to wait \(whole($0)) s" } ?? ""
    }

    /// Whole seconds, rounded up; what no shop can mean is cut to what can be written.
    private static func whole(_ seconds: Double) -> Int { Int(exactly: seconds.rounded(.up)) ?? Int(Int32.max) }

    private static func outcome(_ maybeApplied: Bool) -> String {
        maybeApplied ? "it may have done what was asked" : "nothing had been sent"
    }

    private static func explain(_ refusal: PacingRefusal) -> String {
        switch refusal {
        case .breakerOpen: "the shop's circuit breaker is open"
        case .tooLong(let seconds): "the next turn is \(whole(seconds)) s away, which is too long"
        case .unavailable(let detail): "the limiter shared by all replicas does not answer: \(detail)"
        case .cancelled: "the service is stopping"
        }
    }
}
