public import Domain
internal import Foundation

/// What the connector needs to know of one WooCommerce shop.
///
/// Printing or mirroring it shows no credentials.
public struct WooCommerceConfiguration: Sendable {
    /// The shop's name in the configuration.
    public var shop: ShopName
    /// The address of the WordPress site, such as `https://shop.example`, with or without a path.
    public var url: String
    /// The consumer key (`ck_…`).
    public var key: String
    /// The consumer secret (`cs_…`).
    public var secret: String
    /// What the shop's webhooks are signed with; nil if none are taken.
    public var webhookSecret: String?
    /// PEM file of the authorities that are trusted for this shop in place of the system's.
    public var caFile: String?
    /// After how long a call counts as failed.
    public var requestTimeoutSeconds: Double
    /// The most writes in one call; WooCommerce takes at most 100 unless the site was changed.
    public var batchLimit: Int
    /// The largest answer that is accepted. A batch answers with every product in full, descriptions included.
    public var maximumAnswerBytes: Int

    /// The most that WooCommerce lists on one page or takes in one batch.
    public static let platformLimit = 100

    /// - Parameters:
    ///   - shop: the shop's name in the configuration.
    ///   - url: the address of the WordPress site.
    ///   - key: the consumer key.
    ///   - secret: the consumer secret.
    ///   - webhookSecret: what the shop's webhooks are signed with; nil if none are taken.
    ///   - caFile: PEM file of the authorities that are trusted for this shop.
    ///   - requestTimeoutSeconds: after how long a call counts as failed.
    ///   - batchLimit: between 1 and 100; anything else is brought into that range.
    ///   - maximumAnswerBytes: the largest answer that is accepted.
    public init(
        shop: ShopName, url: String, key: String, secret: String, webhookSecret: String? = nil, caFile: String? = nil,
        requestTimeoutSeconds: Double = 30, batchLimit: Int = WooCommerceConfiguration.platformLimit,
        maximumAnswerBytes: Int = 64 << 20
    ) {
        self.shop = shop
        self.url = url
        self.key = key
        self.secret = secret
        self.webhookSecret = webhookSecret
        self.caFile = caFile
        self.requestTimeoutSeconds = requestTimeoutSeconds
        self.batchLimit = min(max(1, batchLimit), Self.platformLimit)
        self.maximumAnswerBytes = maximumAnswerBytes
    }

    /// Whether the address is encrypted; decides how calls are authenticated.
    var isEncrypted: Bool { url.lowercased().hasPrefix("https://") }

    /// The address as it is signed and called: scheme and host in small letters, without the scheme's own port
    /// (RFC 5849, section 3.4.1.2) and without a slash at the end.
    var siteAddress: String {
        guard let separator = url.range(of: "://") else { return url }
        let rest = url[separator.upperBound...]
        let path = rest.drop { $0 != "/" }
        var host = rest.prefix { $0 != "/" }.lowercased()
        let ownPort = isEncrypted ? ":443" : ":80"
        if host.hasSuffix(ownPort) { host.removeLast(ownPort.count) }
        var address = url[..<separator.lowerBound].lowercased() + "://" + host + path
        while address.hasSuffix("/") { address.removeLast() }
        return address
    }

    /// Takes the credentials out of a text that came from outside.
    func redacted(_ text: String) -> String {
        var result = text
        let basic = Data("\(key):\(secret)".utf8).base64EncodedString()
        for credential in [key, secret, basic, webhookSecret ?? ""] where credential.utf8.count >= 4 {
            result = result.replacing(credential, with: "[redacted]")
        }
        return result
    }
}

extension WooCommerceConfiguration: CustomStringConvertible, CustomReflectable {
    /// The shop and its address.
    public var description: String { "WooCommerce shop \(shop) at \(url)" }
    /// The shop and its address.
    public var customMirror: Mirror { Mirror(self, children: ["shop": shop.rawValue, "url": url]) }
}
