internal import Domain
internal import Foundation
internal import Transfer

/// One GraphQL document and what is known about it.
struct ShopifyDocument: Sendable {
    /// For learning what it costs; one name for each text and size.
    let name: String
    let text: String
    /// Points that it is asked for, until the shop has said so itself.
    let cost: Int
    var isMutation = false
}

/// Makes single GraphQL calls to one shop: waits for points and for the turn, authenticates, sends, and turns whatever
/// comes back into data or a ``ConnectorError``. Repeats a call only where a token has run out: then nothing was done.
struct ShopifyClient: Sendable {
    let configuration: ShopifyConfiguration
    let http: any HTTPSending
    let pacing: any CallPacing
    let session = ShopifySession()
    /// Seconds of a clock that only goes forward, and how to wait.
    var steady: @Sendable () -> Double = { Self.uptime() }
    var sleep: @Sendable (Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) }

    /// Nobody waits longer than this for points; the caller comes back later instead.
    static let longestWaitSeconds = 30.0
    /// A new token is asked for so long before the old one ends.
    static let tokenReserveSeconds = 300.0
    private static let start = ContinuousClock.now

    private static func uptime() -> Double {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    /// A usable answer.
    struct Reply {
        let data: JSONFacts
        /// The shop's clock when it answered.
        let shopTime: Date?
        let response: HTTPResponse
        let call: ShopCall
    }

    func call(
        _ document: ShopifyDocument, _ variables: [String: JSONTree], for action: ShopCall.Action
    ) async throws(ConnectorError) -> Reply {
        let call = ShopCall(shop: configuration.shop, action: action)
        try await waitForPoints(document, call)
        let token = try await token(otherThan: nil, call)
        do throws(ConnectorError) {
            return try await send(document, variables, token: token, call)
        } catch .unauthorized(let call, let code) {
            guard configuration.accessToken == nil else { throw .unauthorized(call, code: code) }
            let fresh = try await self.token(otherThan: token, call)
            return try await send(document, variables, token: fresh, call)
        }
    }

    /// The error for an answer that is not what was asked for.
    func unexpected(_ reply: Reply, _ problem: String) -> ConnectorError {
        AnswerReading(response: reply.response, configuration: configuration, call: reply.call).malformed(problem)
    }

    /// A text of the shop's for people, without credentials.
    func cleaned(_ text: String, limit: Int, _ reply: Reply) -> String {
        AnswerReading(response: reply.response, configuration: configuration, call: reply.call)
            .cleaned(text, limit: limit)
    }

    // MARK: - Points

    private func waitForPoints(_ document: ShopifyDocument, _ call: ShopCall) async throws(ConnectorError) {
        var waited = 0.0
        while true {
            let seconds = session.wait(for: document.name, estimate: document.cost, at: steady())
            if seconds <= 0 { return }
            waited += seconds
            guard waited <= Self.longestWaitSeconds else { throw .throttled(call, retryAfterSeconds: seconds) }
            do { try await sleep(seconds) } catch { throw .cancelled(call, maybeApplied: false) }
        }
    }

    // MARK: - Tokens

    private func token(otherThan refused: String?, _ call: ShopCall) async throws(ConnectorError) -> String {
        if let permanent = configuration.accessToken { return permanent }
        guard let id = configuration.clientID, let secret = configuration.clientSecret else {
            throw .invalidCall(call, detail: "there is neither a token nor a client id with its secret")
        }
        return try await session.token(otherThan: refused, at: steady()) { await ask(id: id, secret: secret, call) }
    }

    private func ask(id: String, secret: String, _ call: ShopCall) async -> Result<ShopifySession.Token, ConnectorError>
    {
        let fields = [("client_id", id), ("client_secret", secret), ("grant_type", "client_credentials")]
        let form = fields.map { "\($0)=\(OAuthSigner.encode($1))" }.joined(separator: "&")
        let request = HTTPRequest(
            method: "POST", url: "\(configuration.siteAddress)/admin/oauth/access_token",
            headers: [
                HTTPHeader("Accept", "application/json"),
                HTTPHeader("Content-Type", "application/x-www-form-urlencoded"),
            ], body: Array(form.utf8), timeoutSeconds: configuration.requestTimeoutSeconds, mayBeResent: true,
            caFile: configuration.caFile)
        do throws(ConnectorError) {
            let answer = try await exchange(request, call, throttled: nil)
            let (response, facts) = (answer.response, answer.facts)
            let reading = AnswerReading(response: response, configuration: configuration, call: call)
            guard (200..<300).contains(response.status) else {
                let code = facts["error"].textIfAny.map { reading.cleaned($0, limit: 100) }
                // 400 is what the grant answers for credentials that it does not know.
                if response.status == 400 { throw .unauthorized(call, code: code) }
                throw reading.failure(items: 0) ?? .unauthorized(call, code: code)
            }
            // Never shows what came: it might be a token.
            guard let text = facts["access_token"].textIfAny else {
                throw .unavailable(call, status: response.status, retryAfterSeconds: nil)
            }
            let life = facts["expires_in"].textIfAny.flatMap { Double($0) } ?? 3_600
            return .success(
                ShopifySession.Token(text: text, until: steady() + max(0, life - Self.tokenReserveSeconds)))
        } catch {
            return .failure(error)
        }
    }

    // MARK: - Sending

    private func send(
        _ document: ShopifyDocument, _ variables: [String: JSONTree], token: String, _ call: ShopCall
    ) async throws(ConnectorError) -> Reply {
        let body = JSONTree.object(["query": .string(document.text), "variables": .object(variables)])
        let request = HTTPRequest(
            method: "POST", url: "\(configuration.siteAddress)/admin/api/\(configuration.apiVersion)/graphql.json",
            headers: [
                HTTPHeader("Accept", "application/json"), HTTPHeader("Content-Type", "application/json"),
                HTTPHeader("X-Shopify-Access-Token", token),
            ], body: body.bytes, timeoutSeconds: configuration.requestTimeoutSeconds,
            maximumResponseBytes: configuration.maximumAnswerBytes, mayBeResent: document.isMutation ? nil : true,
            caFile: configuration.caFile)
        let answer = try await exchange(request, call, throttled: document)
        if let version = answer.response.header("X-Shopify-API-Version") { session.note(version: version) }
        return Reply(
            data: try answer.data().get(), shopTime: answer.response.header("Date").flatMap(HTTPDate.parse),
            response: answer.response, call: call)
    }

    /// Takes a turn, sends, and tells the pace and the bucket what became of it.
    ///
    /// - Parameter document: what is sent, where the answer speaks of points.
    private func exchange(
        _ request: HTTPRequest, _ call: ShopCall, throttled document: ShopifyDocument?
    ) async throws(ConnectorError) -> ShopifyAnswer {
        do throws(PacingRefusal) { try await pacing.waitForTurn(calls: 1) } catch { throw .notPaced(call, error) }
        let response: HTTPResponse
        do throws(TransferError) {
            response = try await http.send(request)
        } catch {
            let failure = ConnectorError(error, call: call)
            await pacing.feedback(PaceFeedback(outcome: WooCommerceClient.outcome(of: failure)))
            throw failure
        }
        let answer = ShopifyAnswer(response: response, configuration: configuration, call: call)
        if let document, let budget = answer.budget {
            session.note(budget.status, requested: budget.requested, of: document.name, at: steady())
        }
        await pacing.feedback(feedback(answer, document))
        return answer
    }

    /// A refusal for lack of points counts as 429 whatever its status, so that everybody slows down.
    private func feedback(_ answer: ShopifyAnswer, _ document: ShopifyDocument?) -> PaceFeedback {
        if document != nil, case .failure(.throttled(_, let seconds)) = answer.data() {
            return PaceFeedback(outcome: .answered(status: 429), retryAfterSeconds: seconds)
        }
        let reading = AnswerReading(response: answer.response, configuration: configuration, call: answer.call)
        return PaceFeedback(
            outcome: .answered(status: answer.response.status), retryAfterSeconds: reading.retryAfterSeconds)
    }
}
