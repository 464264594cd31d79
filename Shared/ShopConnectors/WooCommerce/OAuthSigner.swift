internal import Crypto
internal import Foundation

/// Signs requests with OAuth 1.0a (RFC 5849) without a token, which is how WooCommerce authenticates calls over plain
/// HTTP: the secret itself never crosses the wire. The signing key is the consumer secret followed by `&`.
struct OAuthSigner: Sendable {
    let key: String
    let secret: String

    /// The value of the `Authorization` header.
    ///
    /// - Parameters:
    ///   - method: in capitals.
    ///   - address: scheme, host, port and path; without a query.
    ///   - query: the query's parameters, decoded.
    ///   - timestamp: seconds since 1970; the shop accepts 15 minutes to both sides of its clock.
    ///   - nonce: never used before within those 15 minutes.
    func authorization(
        method: String, address: String, query: [(name: String, value: String)], timestamp: Int, nonce: String
    ) -> String {
        let protocolParameters = [
            (name: "oauth_consumer_key", value: key),
            (name: "oauth_nonce", value: nonce),
            (name: "oauth_signature_method", value: "HMAC-SHA256"),
            (name: "oauth_timestamp", value: String(timestamp)),
        ]
        let text = Self.baseString(method: method, address: address, parameters: query + protocolParameters)
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(text.utf8), using: SymmetricKey(data: Array("\(Self.encode(secret))&".utf8)))
        let signed = protocolParameters + [(name: "oauth_signature", value: Data(code).base64EncodedString())]
        return "OAuth " + signed.map { "\($0.name)=\"\(Self.encode($0.value))\"" }.joined(separator: ", ")
    }

    /// The text that is signed (RFC 5849, section 3.4.1).
    static func baseString(method: String, address: String, parameters: [(name: String, value: String)]) -> String {
        let encoded = parameters.map { (name: encode($0.name), value: encode($0.value)) }
        let sorted = encoded.sorted { $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name }
        let joined = sorted.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return "\(method)&\(encode(address))&\(encode(joined))"
    }

    /// Percent-encodes everything but letters, digits, `-`, `.`, `_` and `~`, in capitals (RFC 5849, section 3.6).
    static func encode(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result.append(UInt8(ascii: "%"))
                result.append(hexDigit(byte >> 4))
                result.append(hexDigit(byte & 15))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
