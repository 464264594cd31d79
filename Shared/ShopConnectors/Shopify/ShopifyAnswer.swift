internal import Domain
internal import Foundation
internal import Transfer

/// Decides what one HTTP answer of Shopify's Admin API means. Pure.
///
/// Three layers can refuse: the HTTP status, `errors` at the top (syntax, access, throttling), and `userErrors` of each
/// mutation; the third is read by whoever made the mutation.
struct ShopifyAnswer {
    let response: HTTPResponse
    let configuration: ShopifyConfiguration
    let call: ShopCall
    /// The body, if it is JSON; read once.
    private let tree: JSONTree?

    init(response: HTTPResponse, configuration: ShopifyConfiguration, call: ShopCall) {
        self.response = response
        self.configuration = configuration
        self.call = call
        tree = try? JSONTree(response.body)
    }

    /// The body's facts; nothing stands in it if it is not JSON.
    var facts: JSONFacts { JSONFacts(tree: tree ?? .null) }

    private var reading: AnswerReading {
        AnswerReading(response: response, configuration: configuration, call: call)
    }

    /// `data`, or what the first two layers refuse.
    func data() -> Result<JSONFacts, ConnectorError> {
        let facts = facts
        if let refusal = statusRefusal(facts) { return .failure(refusal) }
        guard tree != nil else { return .failure(reading.malformed("not JSON")) }
        if let refusal = topRefusal(facts) { return .failure(refusal) }
        guard case .object = facts["data"].tree else { return .failure(reading.malformed("JSON without data")) }
        return .success(JSONFacts(tree: facts["data"].tree))
    }

    /// What the answer says about the bucket, whatever else it says.
    var budget: (status: ShopifyBudget.Status, requested: Double?)? {
        Self.budget(facts).map { ($0, Self.requestedCost(facts)) }
    }

    private static func budget(_ facts: JSONFacts) -> ShopifyBudget.Status? {
        let status = facts["extensions"]["cost"]["throttleStatus"]
        guard let maximum = number(status["maximumAvailable"]), let available = number(status["currentlyAvailable"]),
            let rate = number(status["restoreRate"])
        else { return nil }
        return ShopifyBudget.Status(maximum: maximum, available: available, restoreRate: rate)
    }

    private static func requestedCost(_ facts: JSONFacts) -> Double? {
        number(facts["extensions"]["cost"]["requestedQueryCost"])
    }

    /// Finite only: waits are computed with it.
    private static func number(_ facts: JSONFacts) -> Double? {
        facts.textIfAny.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
    }

    // MARK: - First layer

    private func statusRefusal(_ facts: JSONFacts) -> ConnectorError? {
        switch response.status {
        case 200..<300: return nil
        case 401: return .unauthorized(call, code: code(facts))
        case 403: return .forbidden(call, code: code(facts))
        case 429: return .throttled(call, retryAfterSeconds: reading.retryAfterSeconds ?? throttledSeconds(facts))
        // 423 and 430: the platform has locked the shop for now, or takes us for an attacker.
        case 408, 423, 430, 500...:
            return .unavailable(call, status: response.status, retryAfterSeconds: reading.retryAfterSeconds)
        default:
            return .refused(call, status: response.status, code: code(facts), message: message(facts))
        }
    }

    private func code(_ facts: JSONFacts) -> String? {
        (firstError(facts)?["extensions"]["code"].textIfAny ?? facts["error"].textIfAny)
            .map { reading.cleaned($0, limit: 100) }
    }

    /// The text of an answer from before GraphQL is in `errors` itself.
    private func message(_ facts: JSONFacts) -> String {
        let text = firstError(facts)?["message"].textIfAny ?? facts["errors"].textIfAny
        return reading.cleaned(text ?? facts["error_description"].words, limit: 300)
    }

    private func firstError(_ facts: JSONFacts) -> JSONFacts? { (try? facts["errors"].list())?.first }

    // MARK: - Second layer

    /// Data beside an error are not used: nobody could tell what is missing from them.
    private func topRefusal(_ facts: JSONFacts) -> ConnectorError? {
        guard facts["errors"].exists else { return nil }
        guard let first = firstError(facts) else { return facts["errors"].tree == .array([]) ? nil : refused(facts) }
        let code = first["extensions"]["code"].textIfAny ?? ""
        if code == "THROTTLED" || first["message"].textIfAny == "Throttled" {
            return .throttled(call, retryAfterSeconds: throttledSeconds(facts))
        }
        switch code {
        case "ACCESS_DENIED": return .forbidden(call, code: code)
        case "SHOP_INACTIVE": return .unavailable(call, status: response.status, retryAfterSeconds: nil)
        case "INTERNAL_SERVER_ERROR", "TIMEOUT": return .unavailable(call, status: 500, retryAfterSeconds: nil)
        default: return refused(facts)
        }
    }

    private func refused(_ facts: JSONFacts) -> ConnectorError {
        .refused(call, status: response.status, code: code(facts), message: message(facts))
    }

    /// How long until the query's points are there: (needed - available) / rate, between a tenth of a second and a day.
    private func throttledSeconds(_ facts: JSONFacts) -> Double? {
        guard let status = Self.budget(facts), status.restoreRate > 0 else { return nil }
        let needed = min(Self.requestedCost(facts) ?? status.maximum, status.maximum)
        return min(
            max(0.1, (needed - status.available) / status.restoreRate), AnswerReading.longestWaitSeconds)
    }
}
