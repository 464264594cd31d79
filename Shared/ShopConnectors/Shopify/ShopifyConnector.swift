public import Domain
internal import Foundation

/// One Shopify shop, through its GraphQL Admin API.
///
/// - A listing is `product/variant`, both by their numbers at the end of Shopify's ids.
/// - Stock is kept by `item-` and the number of the inventory item, at one location: reading and writing need no other
///   look-up, and nobody takes such an id for a listing's.
/// - Writing compares with what the shop has and carries an idempotency key (from version 2026-01 on; before, it
///   compares by `compareQuantity` and has no keys). One refused row fails all rows of its call.
public struct ShopifyConnector: ShopConnector {
    private let client: ShopifyClient

    /// Makes no call.
    ///
    /// - Parameters:
    ///   - configuration: the shop's address and credentials.
    ///   - http: sends the requests.
    ///   - pacing: is asked before every call, that for a token included.
    public init(_ configuration: ShopifyConfiguration, http: any HTTPSending, pacing: any CallPacing) {
        client = ShopifyClient(configuration: configuration, http: http, pacing: pacing)
    }

    init(client: ShopifyClient) { self.client = client }

    /// The shop's name in the configuration.
    public var shop: ShopName { client.configuration.shop }
    /// `shopify`
    public var platform: String { "shopify" }
    /// Nil without ``ShopifyConfiguration/clientSecret``, which is what Shopify signs with.
    public var webhookVerifying: (any WebhookVerifying)? {
        client.configuration.clientSecret.map(ShopifyWebhookVerifier.init)
    }

    /// Asks for the app's scopes, and for the locations unless there is nothing to do at one. Rights that are missing
    /// leave their slots empty and are named in the notes.
    public func discover() async throws(ConnectorError) -> ShopCapabilities {
        let scopes = try await scopes()
        var notes: [String] = []
        var capabilities = ShopCapabilities(integersOnly: true)
        if scopes.mayRead("inventory") {
            do throws(ConnectorError) {
                let location = try await location(scopes)
                let stock = ShopifyStock(client: client, location: location)
                capabilities.stockReading = stock
                if scopes.mayWrite("inventory") { capabilities.stockWriting = stock }
                if scopes.mayRead("products") {
                    capabilities.catalogue = ShopifyCatalogue(client: client, location: location)
                }
            } catch .unsupported(let call, let capability) {
                // Orders need no location.
                notes.append(ConnectorError.unsupported(call, capability: capability).description)
            }
        }
        if scopes.mayRead("orders") {
            capabilities.orderReading = ShopifyOrders(client: client)
            if client.configuration.clientSecret != nil { capabilities.webhooks = ShopifyWebhooks(client: client) }
            if !scopes.has("read_all_orders") {
                notes.append(
                    "Shop \(shop): the app lacks the scope read_all_orders, so orders older than 60 days are not "
                        + "shown by Shopify; ask for that scope if they are needed.")
            }
        }
        for name in ["read_products", "read_inventory", "write_inventory", "read_orders"] where !scopes.has(name) {
            notes.append(
                "Shop \(shop): the app lacks the scope \(name), so what needs it is left out; add it to the app.")
        }
        if let version = client.session.answeringVersion, version != client.configuration.apiVersion {
            notes.append(
                "Shop \(shop): version \(version) of the API answers in place of \(client.configuration.apiVersion), "
                    + "which is retired or does not exist; set api_version to one that is supported.")
        }
        capabilities.notes = notes
        return capabilities
    }

    // MARK: - Rights

    /// Whoever may write may also read.
    private struct Scopes {
        let handles: Set<String>

        func has(_ name: String) -> Bool {
            handles.contains(name)
                || name.hasPrefix("read_") && handles.contains("write_" + name.dropFirst("read_".count))
        }
        func mayRead(_ what: String) -> Bool { has("read_\(what)") }
        func mayWrite(_ what: String) -> Bool { has("write_\(what)") }
    }

    private func scopes() async throws(ConnectorError) -> Scopes {
        let document = ShopifyDocument(
            name: "scopes", text: "query Scopes { currentAppInstallation { accessScopes { handle } } }", cost: 3)
        let reply = try await client.call(document, [:], for: .discover)
        guard let list = try? reply.data["currentAppInstallation"]["accessScopes"].list() else {
            throw client.unexpected(reply, "no list of access scopes")
        }
        return Scopes(handles: Set(list.compactMap { $0["handle"].textIfAny }))
    }

    /// The configured location as it stands, or the only active one.
    private func location(_ scopes: Scopes) async throws(ConnectorError) -> String {
        if let configured = client.configuration.location { return configured }
        let call = ShopCall(shop: shop, action: .discover)
        guard scopes.has("read_locations") else {
            throw .unsupported(
                call, capability: "finding the shop's location without the scope read_locations; set location")
        }
        let document = ShopifyDocument(
            name: "locations", text: "query Locations { locations(first: 50) { nodes { id isActive } } }", cost: 52)
        let reply = try await client.call(document, [:], for: .discover)
        guard let nodes = try? reply.data["locations"]["nodes"].list() else {
            throw client.unexpected(reply, "no list of locations")
        }
        let active = nodes.filter { $0["isActive"].isTrue }.compactMap { $0["id"].textIfAny }
        guard active.count == 1, let only = active.first else {
            throw .unsupported(
                call, capability: "choosing among \(active.count) locations; set location to one of the shop's")
        }
        return only
    }
}

/// Shopify's ids: `gid://shopify/Product/10`.
enum ShopifyID {
    static func text(_ type: String, _ number: String) -> String { "gid://shopify/\(type)/\(number)" }

    /// The number at the end; nil for another type or no id at all.
    static func number(_ id: String?, _ type: String) -> String? {
        let prefix = "gid://shopify/\(type)/"
        guard let id, id.hasPrefix(prefix) else { return nil }
        let number = String(id.dropFirst(prefix.count).prefix { $0 != "?" })
        return isNumber(number) ? number : nil
    }

    /// Digits, no more than there are in any id of 64 bits.
    static func isNumber(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 20 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static let stockPrefix = "item-"

    /// Where stock is kept.
    static func stockID(item: String) -> ListingID { ListingID("\(stockPrefix)\(item)") }

    /// The inventory item whose stock it is; nil for another id.
    static func inventoryItem(_ id: ListingID) -> String? {
        guard id.rawValue.hasPrefix(stockPrefix) else { return nil }
        let number = String(id.rawValue.dropFirst(stockPrefix.count))
        return isNumber(number) ? text("InventoryItem", number) : nil
    }
}
