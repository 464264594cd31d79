/// Knows which credentials must not stand in what people read.
protocol CredentialRedacting: Sendable {
    /// Takes the credentials out of a text that came from outside.
    func redacted(_ text: String) -> String
}

extension WooCommerceConfiguration: CredentialRedacting {}
