public import Domain
internal import Foundation

/// What the connector needs to know of one Shopify shop.
///
/// Printing or mirroring it shows no credentials.
public struct ShopifyConfiguration: Sendable {
    /// The shop's name in the configuration.
    public var shop: ShopName
    /// The shop's permanent address, such as `https://example.myshopify.com`.
    public var url: String
    /// The version of the Admin API, such as `2026-04`.
    public var apiVersion: String
    /// A permanent token; nil where tokens are asked for with ``clientID`` and ``clientSecret``.
    public var accessToken: String?
    /// The app's client id; used without ``accessToken``.
    public var clientID: String?
    /// The app's client secret, which also signs its webhooks; without it none are taken.
    public var clientSecret: String?
    /// `gid://shopify/Location/…` of the place whose stock is read and set; nil means the shop's only one.
    public var location: String?
    /// PEM file of the authorities that are trusted for this shop in place of the system's.
    public var caFile: String?
    /// After how long a call counts as failed.
    public var requestTimeoutSeconds: Double
    /// The most writes in one call; Shopify takes at most 250.
    public var batchLimit: Int
    /// The largest answer that is accepted.
    public var maximumAnswerBytes: Int

    /// The most rows that one call writes or reads.
    public static let platformLimit = 250

    /// - Parameters:
    ///   - shop: the shop's name in the configuration.
    ///   - url: the shop's permanent address.
    ///   - apiVersion: the version of the Admin API.
    ///   - accessToken: a permanent token, if there is one.
    ///   - clientID: the app's client id.
    ///   - clientSecret: the app's client secret.
    ///   - location: the place whose stock is read and set; nil means the only one.
    ///   - caFile: PEM file of the authorities that are trusted for this shop.
    ///   - requestTimeoutSeconds: after how long a call counts as failed.
    ///   - batchLimit: between 1 and 250; anything else is brought into that range.
    ///   - maximumAnswerBytes: the largest answer that is accepted.
    public init(
        shop: ShopName, url: String, apiVersion: String = "2026-04", accessToken: String? = nil,
        clientID: String? = nil, clientSecret: String? = nil, location: String? = nil, caFile: String? = nil,
        requestTimeoutSeconds: Double = 30, batchLimit: Int = ShopifyConfiguration.platformLimit,
        maximumAnswerBytes: Int = 64 << 20
    ) {
        self.shop = shop
        self.url = url
        self.apiVersion = apiVersion
        self.accessToken = accessToken
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.location = location
        self.caFile = caFile
        self.requestTimeoutSeconds = requestTimeoutSeconds
        self.batchLimit = min(max(1, batchLimit), Self.platformLimit)
        self.maximumAnswerBytes = maximumAnswerBytes
    }

    /// Without a slash at the end.
    var siteAddress: String {
        var address = url
        while address.hasSuffix("/") { address.removeLast() }
        return address
    }

    /// From this version on rows are compared by `changeFromQuantity` and calls carry idempotency keys.
    var comparesByChangeFrom: Bool { apiVersion >= "2026-01" }
}

extension ShopifyConfiguration: CredentialRedacting {
    /// Takes the credentials out of a text that came from outside; tokens that were asked for are known by their
    /// prefix.
    func redacted(_ text: String) -> String {
        var result = text.replacing(/shp[a-z]{2}_[A-Za-z0-9]+/, with: "[redacted]")
        for credential in [accessToken, clientSecret, clientID].compactMap({ $0 }) where credential.utf8.count >= 4 {
            result = result.replacing(credential, with: "[redacted]")
        }
        return result
    }
}

extension ShopifyConfiguration: CustomStringConvertible, CustomReflectable {
    /// The shop and its address.
    public var description: String { "Shopify shop \(shop) at \(url)" }
    /// The shop and its address.
    public var customMirror: Mirror { Mirror(self, children: ["shop": shop.rawValue, "url": url]) }
}
