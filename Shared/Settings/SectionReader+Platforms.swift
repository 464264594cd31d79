// What a shop's settings mean on its platform only.
extension SectionReader {
    typealias ShopCredentials = StockbridgeConfiguration.ShopCredentials

    /// `shops[].credentials`.
    ///
    /// - Parameter platform: nil after a complaint about it; then nothing can be said about which keys belong here.
    func shopCredentials(platform: StockbridgeConfiguration.Platform?) -> ShopCredentials {
        let key = optionalSecret("key")
        let secret = optionalSecret("secret")
        let accessToken = optionalSecret("access_token")
        let clientID = optionalText("client_id")
        let clientSecret = optionalSecret("client_secret")
        let absent = SecretReference.environment(name: "")
        switch platform {
        case .woocommerce:
            for name in ["access_token", "client_id", "client_secret"] { refuse(name, outside: .shopify) }
            for name in ["key", "secret"] where !has(name) { reportMissing(name) }
            return .woocommerce(key: key ?? absent, secret: secret ?? absent)
        case .shopify:
            for name in ["key", "secret"] { refuse(name, outside: .woocommerce) }
            checkShopify(clientID: clientID)
            return .shopify(accessToken: accessToken, clientID: clientID, clientSecret: clientSecret)
        case nil:
            return .woocommerce(key: absent, secret: absent)
        }
    }

    private func checkShopify(clientID: String?) {
        if has("access_token"), has("client_id") {
            report(
                "client_id", "stands beside access_token",
                suggestion: "keep access_token, or client_id with client_secret, for which the shop gives out a token")
        } else if has("client_id"), !has("client_secret") {
            reportMissing("client_secret", because: "and client_id gets a token only together with it")
        } else if !has("access_token"), !has("client_id") {
            reportMissing("access_token", because: "and there is no client_id with client_secret either")
        }
        if let clientID, clientID.hasPrefix("${") {
            report("client_id", "must be the identifier itself", suggestion: "write it in the clear; it is no secret")
        }
    }

    /// Complains about a key that means something on another platform only, and takes it out of what holds.
    private func refuse(_ key: String, outside platform: StockbridgeConfiguration.Platform) {
        if has(key) {
            report(
                key, "is read only where platform is \(platform.rawValue)", suggestion: "remove it, or change platform")
        }
        forget(key)
    }

    /// `shops[].api_version`.
    func apiVersion(platform: StockbridgeConfiguration.Platform?) -> String {
        let version = text("api_version", default: "2026-04")
        let parts = version.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let areDigits = parts.allSatisfy { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        let month = parts.last.flatMap { Int($0) } ?? 0
        if parts.map(\.utf8.count) != [4, 2] || !areDigits || !(1...12).contains(month) {
            report(
                "api_version", "\(quoted(version)) is no version", suggestion: "write year and month, such as 2026-04")
        }
        if platform == .woocommerce {
            if has("api_version") { warn("api_version", "means nothing here: WooCommerce has no versions to choose") }
            forget("api_version")
        }
        return version
    }

    /// `shops[].location`.
    func shopLocation(platform: StockbridgeConfiguration.Platform?) -> String? {
        let location = optionalText("location")
        if platform == .woocommerce { refuse("location", outside: .shopify) }
        guard platform != .woocommerce, let location else { return nil }
        let prefix = "gid://shopify/Location/"
        let number = location.dropFirst(prefix.count).utf8
        if !location.hasPrefix(prefix) || number.isEmpty || !number.allSatisfy({ (0x30...0x39).contains($0) }) {
            report(
                "location", "\(quoted(location)) is no location",
                suggestion: "write it as \"\(prefix)9\", as Shopify's own address bar numbers it")
        }
        return location
    }
}
