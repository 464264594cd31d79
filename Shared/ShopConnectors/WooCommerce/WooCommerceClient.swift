internal import Concurrency
internal import Domain
internal import Foundation
internal import Transfer

/// Makes single calls to one shop's REST API: waits for the turn, authenticates, sends, and turns whatever comes back
/// into JSON or a ``ConnectorError``. Never repeats a call.
struct WooCommerceClient: Sendable {
    let configuration: WooCommerceConfiguration
    let http: any HTTPSending
    let pacing: any CallPacing
    let clock: WallClock
    let nonce: @Sendable () -> String

    typealias Query = [(name: String, value: String)]

    /// A usable answer: status 2xx.
    struct Answer {
        let response: HTTPResponse
        let call: ShopCall

        /// How many items the whole collection has, if the shop says so.
        var total: Int? { response.header("X-WP-Total").flatMap { Int($0) } }
    }

    /// - Parameter path: below `/wp-json/wc/v3/`.
    func get(_ path: String, _ query: Query, for action: ShopCall.Action) async throws(ConnectorError) -> Answer {
        try await perform("GET", path, query, body: nil, items: 0, for: action)
    }

    /// - Parameter items: how many items the body holds; goes into the error if they are too many.
    func post(
        _ path: String, _ body: [UInt8], items: Int, for action: ShopCall.Action
    ) async throws(ConnectorError) -> Answer {
        try await perform("POST", path, [], body: body, items: items, for: action)
    }

    /// Changes one thing.
    func put(_ path: String, _ body: [UInt8], for action: ShopCall.Action) async throws(ConnectorError) -> Answer {
        try await perform("PUT", path, [], body: body, items: 0, for: action)
    }

    private func perform(
        _ method: String, _ path: String, _ query: Query, body: [UInt8]?, items: Int, for action: ShopCall.Action
    ) async throws(ConnectorError) -> Answer {
        let call = ShopCall(shop: configuration.shop, action: action)
        do throws(PacingRefusal) { try await pacing.waitForTurn(calls: 1) } catch { throw .notPaced(call, error) }
        // Signed after the wait: a time stamp that waited for its turn might be too old.
        let request = request(method, path, query, body: body)
        let response: HTTPResponse
        do throws(TransferError) {
            response = try await http.send(request)
        } catch {
            let failure = ConnectorError(error, call: call)
            await pacing.feedback(PaceFeedback(outcome: Self.outcome(of: failure)))
            throw failure
        }
        let reading = AnswerReading(response: response, configuration: configuration, call: call)
        await pacing.feedback(
            PaceFeedback(
                outcome: .answered(status: response.status), retryAfterSeconds: reading.retryAfterSeconds,
                remainingCalls: reading.remainingCalls))
        if let failure = reading.failure(items: items) { throw failure }
        return Answer(response: response, call: call)
    }

    /// Reads an answer's JSON.
    func decode<Value: Decodable>(_ type: Value.Type, from answer: Answer) throws(ConnectorError) -> Value {
        let reading = AnswerReading(response: answer.response, configuration: configuration, call: answer.call)
        return try reading.decode(type)
    }

    /// An answer's JSON as it was written, of whatever shape.
    func tree(of answer: Answer) throws(ConnectorError) -> JSONTree {
        try AnswerReading(response: answer.response, configuration: configuration, call: answer.call).tree()
    }

    /// The error for an answer that is not what was asked for.
    func unexpected(_ answer: Answer, _ problem: String) -> ConnectorError {
        AnswerReading(response: answer.response, configuration: configuration, call: answer.call).malformed(problem)
    }

    private func request(_ method: String, _ path: String, _ query: Query, body: [UInt8]?) -> HTTPRequest {
        let address = "\(configuration.siteAddress)/wp-json/wc/v3/\(path)"
        let text = query.map { "\(OAuthSigner.encode($0.name))=\(OAuthSigner.encode($0.value))" }.joined(separator: "&")
        var headers = [HTTPHeader("Accept", "application/json")]
        if body != nil { headers.append(HTTPHeader("Content-Type", "application/json")) }
        if !configuration.isEncrypted {
            let signer = OAuthSigner(key: configuration.key, secret: configuration.secret)
            let value = signer.authorization(
                method: method, address: address, query: query,
                timestamp: Int(clock.now().timeIntervalSince1970), nonce: nonce())
            headers.append(HTTPHeader("Authorization", value))
        }
        return HTTPRequest(
            method: method, url: text.isEmpty ? address : "\(address)?\(text)", headers: headers, body: body,
            timeoutSeconds: configuration.requestTimeoutSeconds,
            basicCredentials: configuration.isEncrypted
                ? Credentials(user: configuration.key, password: configuration.secret) : nil,
            maximumResponseBytes: configuration.maximumAnswerBytes, caFile: configuration.caFile)
    }

    /// What a call that brought no answer means for the pace.
    static func outcome(of failure: ConnectorError) -> PaceFeedback.Outcome {
        switch failure {
        case .timedOut: .failed(timedOut: true)
        case .invalidCall, .cancelled: .notSent
        case .answerTooLarge: .answered(status: 200)
        default: .failed(timedOut: false)
        }
    }
}

extension ConnectorError {
    /// What a failed transfer means for a call to a shop.
    init(_ error: TransferError, call: ShopCall) {
        self =
            switch error {
            case .unresolvable(let host): .unreachable(call, detail: "the name \(host) is unknown")
            case .unreachable(let host, let detail): .unreachable(call, detail: "\(host): \(detail)")
            case .tlsRejected(let host, let detail): .certificateRejected(call, detail: "\(host): \(detail)")
            case .localFile(let path, let reason): .certificateRejected(call, detail: "\(path): \(reason)")
            case .timedOut(_, let requestSent): .timedOut(call, maybeApplied: requestSent)
            case .connectionLost(_, let requestSent), .failed(_, _, _, let requestSent):
                .connectionLost(call, maybeApplied: requestSent)
            case .tooLarge(let limit): .answerTooLarge(call, limitBytes: limit)
            case .cancelled(let requestSent): .cancelled(call, maybeApplied: requestSent)
            case .clientClosed: .cancelled(call, maybeApplied: false)
            case .invalidURL, .invalidRequest, .unsupported, .hostKeyChanged, .hostKeyUnknown, .authenticationFailed,
                .notFound, .accessDenied, .refused:
                // The latter come from other protocols than HTTP.
                .invalidCall(call, detail: "\(error)")
            }
    }
}
