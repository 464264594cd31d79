import Crypto
import Foundation

/// Checks OAuth 1.0a signatures. Written from RFC 5849 on its own, not shared with any client, so that a mistake of a
/// client shows.
enum OAuthVerifier {
    /// The parameters of an `Authorization: OAuth …` header, decoded; nil if it is of another kind.
    static func parameters(ofHeader header: String) -> [(name: String, value: String)]? {
        guard header.lowercased().hasPrefix("oauth ") else { return nil }
        return header.dropFirst(6).split(separator: ",").compactMap { item in
            let parts = item.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            let name = parts[0].trimmingCharacters(in: .whitespaces)
            let value = parts[1].trimmingCharacters(in: .whitespaces).trimmingCharacters(in: ["\""])
            return name == "realm" ? nil : (Call.decode(name), Call.decode(value))
        }
    }

    /// Section 3.4.1: method, address and parameters, each encoded, joined by `&`.
    static func baseString(method: String, url: String, parameters: [(name: String, value: String)]) -> String {
        let pairs = parameters.filter { $0.name != "oauth_signature" }
            .map { [escape($0.name), escape($0.value)] }
            .sorted { $0.lexicographicallyPrecedes($1) }
            .map { $0.joined(separator: "=") }
        return [method.uppercased(), baseAddress(url), pairs.joined(separator: "&")].map(escape).joined(separator: "&")
    }

    /// Section 3.4.2 for HMAC-SHA1 and, as WooCommerce adds, HMAC-SHA256; nil for another method.
    static func signature(method: String, text: String, secret: String, tokenSecret: String = "") -> String? {
        let key = SymmetricKey(data: Data("\(escape(secret))&\(escape(tokenSecret))".utf8))
        return switch method {
        case "HMAC-SHA1":
            Data(HMAC<Insecure.SHA1>.authenticationCode(for: Data(text.utf8), using: key)).base64EncodedString()
        case "HMAC-SHA256":
            Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)).base64EncodedString()
        default: nil
        }
    }

    /// Section 3.6.
    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    /// Section 3.4.1.2: small letters, no default port, no query.
    private static func baseAddress(_ url: String) -> String {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            let host = parts.host?.lowercased()
        else { return url }
        let isDefault =
            parts.port == nil || (scheme, parts.port) == ("http", 80) || (scheme, parts.port) == ("https", 443)
        let port = isDefault ? "" : parts.port.map { ":\($0)" } ?? ""
        return "\(scheme)://\(host)\(port)\(parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath)"
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
