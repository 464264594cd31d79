import Foundation

extension SimulatedShop.State {
    private static let window = 15 * 60

    /// Lets a call in, or answers it, as WooCommerce's REST authentication does: HTTP Basic over TLS only, OAuth 1.0a
    /// over plain HTTP, and the key's rights.
    ///
    /// - Parameter now: the machine's time; a signature may also be of the test bench's.
    mutating func refuse(_ call: Call, _ configuration: SimulatorConfiguration, now: Date) -> Answer? {
        let problem = call.isEncrypted ? basicProblem(call, configuration) : oauthProblem(call, configuration, now)
        guard let refusal = problem ?? rightProblem(call, configuration) else { return nil }
        statistics.unauthorized += 1
        return refusal
    }

    private static func error(_ message: String) -> Answer {
        .refusal(401, "woocommerce_rest_authentication_error", message)
    }

    private static let anonymous = Answer.refusal(
        401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")

    private func basicProblem(_ call: Call, _ configuration: SimulatorConfiguration) -> Answer? {
        var key = call.parameter("consumer_key")
        var secret = call.parameter("consumer_secret")
        if let header = call.header("authorization"), header.lowercased().hasPrefix("basic "),
            let data = Data(base64Encoded: header.dropFirst(6).trimmingCharacters(in: .whitespaces))
        {
            let parts = String(decoding: data, as: UTF8.self).split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            key = parts.first.map(String.init)
            secret = parts.count > 1 ? String(parts[1]) : nil
        }
        guard let key, let secret, !key.isEmpty, !secret.isEmpty else { return Self.anonymous }
        if key != configuration.key { return Self.error("Consumer key is invalid.") }
        if secret != configuration.secret { return Self.error("Consumer secret is invalid.") }
        return nil
    }

    private mutating func oauthProblem(
        _ call: Call, _ configuration: SimulatorConfiguration, _ now: Date
    ) -> Answer? {
        let header = call.header("authorization").flatMap(OAuthVerifier.parameters(ofHeader:)) ?? []
        let parameters = call.query + header
        func value(_ name: String) -> String? { parameters.last { $0.name == name }?.value }
        guard parameters.contains(where: { $0.name.hasPrefix("oauth_") }) else { return Self.anonymous }
        let needed = ["consumer_key", "timestamp", "nonce", "signature", "signature_method"].map { "oauth_\($0)" }
        let missing = needed.filter { value($0)?.isEmpty ?? true }
        guard missing.isEmpty, let nonce = value("oauth_nonce"), let method = value("oauth_signature_method") else {
            return Self.error("Missing OAuth parameters \(missing.joined(separator: ", "))")
        }
        if value("oauth_consumer_key") != configuration.key { return Self.error("Consumer key is invalid.") }
        let text = OAuthVerifier.baseString(
            method: call.method, url: call.origin + call.path, parameters: parameters)
        guard let signature = OAuthVerifier.signature(method: method, text: text, secret: configuration.secret) else {
            return Self.error("Invalid signature - signature method is invalid.")
        }
        if signature != value("oauth_signature") {
            return Self.error("Invalid signature - provided signature does not match.")
        }
        let seconds = Int(now.timeIntervalSince1970)
        let shared = Int(clock.sharedNow().timeIntervalSince1970)
        let before = shared - Int(clock.offsetSeconds - clock.offsetBefore)
        guard let stamp = value("oauth_timestamp").flatMap({ Int($0) }),
            abs(stamp - seconds) <= Self.window
                || (clock.isMoved && min(abs(stamp - shared), abs(stamp - before)) <= Self.window)
        else { return Self.error("Invalid timestamp.") }
        if nonces[nonce] != nil { return Self.error("Invalid nonce - nonce has already been used.") }
        nonces[nonce] = seconds
        if nonces.count > 50_000 { nonces = nonces.filter { $0.value >= seconds - Self.window } }
        return nil
    }

    private func rightProblem(_ call: Call, _ configuration: SimulatorConfiguration) -> Answer? {
        let reads = ["GET", "HEAD", "OPTIONS"].contains(call.method)
        switch (configuration.permissions, reads) {
        case (.readWrite, _), (.read, true), (.write, false): return nil
        case (.write, true): return Self.error("The API key provided does not have read permissions.")
        case (.read, false): return Self.error("The API key provided does not have write permissions.")
        }
    }
}
