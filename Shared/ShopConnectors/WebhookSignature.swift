internal import Crypto
internal import Foundation
internal import Transfer

/// Base64 of the HMAC-SHA256 of a body, as WooCommerce and Shopify sign theirs.
enum WebhookSignature {
    /// Compares in constant time, so that an answer's delay tells nothing about how much of a guess was right.
    static func isValid(_ signature: String, of body: [UInt8], secret: String) -> Bool {
        guard let code = Data(base64Encoded: signature.trimmingCharacters(in: .whitespaces)) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            code, authenticating: body, using: SymmetricKey(data: Array(secret.utf8)))
    }
}

extension [HTTPHeader] {
    /// The value of the first header of this name, in any case; nil if there is none or it is blank.
    func value(_ name: String) -> String? {
        guard let header = first(where: { $0.name.lowercased() == name.lowercased() }) else { return nil }
        let value = header.value.trimmingCharacters(in: .whitespaces)
        return value.isEmpty ? nil : value
    }
}
