internal import Domain
internal import Foundation

/// Reads the orders of a Shopify shop.
///
/// A cursor of Shopify's stands at (time, id), so what stays as it is is met once, and what changes meanwhile moves
/// behind it. No more than 25,000 objects can be reached through one query: before that the window begins anew at the
/// second that was reached. Orders with more lines or refunds than come along are completed with further calls.
struct ShopifyOrders: OrderReading {
    let client: ShopifyClient

    /// Orders on a page: what one query of them costs stays below 1,000 points.
    static let pageSize = 9
    /// After so many orders a query begins anew.
    static let reach = 20_000

    func page(in window: OrderWindow, after cursor: OrderCursor?) async throws(ConnectorError) -> OrderPage {
        let last = Int(window.upTo.timeIntervalSince1970.rounded(.down))
        var position = Position(first: Int(window.from.timeIntervalSince1970.rounded(.down)))
        if let cursor {
            guard let known = Position(cursor) else {
                throw .invalidCall(
                    ShopCall(shop: client.configuration.shop, action: .readOrders),
                    detail: "the cursor is not one of Shopify's")
            }
            position = known
        }
        guard position.first <= last else { return OrderPage(orders: [], next: nil) }
        let field = window.time == .updated ? "updated_at" : "created_at"
        let query = "\(field):>='\(Self.text(position.first))' AND \(field):<='\(Self.text(last))'"
        let reply = try await client.call(
            ShopifyOrderQueries.page(window.time),
            [
                "first": .number(String(Self.pageSize)), "query": .string(query),
                "after": position.cursor.map { .string($0) } ?? .null,
            ], for: .readOrders)
        let page = reply.data["orders"]
        guard page.exists, let nodes = try? page["nodes"].list() else {
            throw client.unexpected(reply, "no list of orders")
        }
        let zone = reply.data["shop"]["ianaTimezone"].textIfAny
        var orders: [OrderReadingResult] = []
        for node in nodes { orders.append(try await read(node, zone)) }
        var next: OrderCursor?
        if page["pageInfo"]["hasNextPage"].isTrue, let cursor = page["pageInfo"]["endCursor"].textIfAny {
            let newest = nodes.last?[window.time == .updated ? "updatedAt" : "createdAt"].textIfAny
            next = position.next(
                cursor, count: nodes.count,
                second: newest.flatMap { UTCTimestamp.parse($0) }.map { Int($0.timeIntervalSince1970) })
        }
        return OrderPage(orders: orders, next: next, shopTime: reply.shopTime)
    }

    func order(_ externalID: String) async throws(ConnectorError) -> OrderReadingResult? {
        guard ShopifyID.isNumber(externalID) else { return nil }
        let reply = try await client.call(
            ShopifyOrderQueries.single, ["id": .string(ShopifyID.text("Order", externalID))], for: .readOrders)
        let order = JSONFacts(tree: reply.data["order"].tree)
        guard order.exists else { return nil }
        return try await read(order, reply.data["shop"]["ianaTimezone"].textIfAny)
    }

    // MARK: - One order

    private func read(_ order: JSONFacts, _ zone: String?) async throws(ConnectorError) -> OrderReadingResult {
        let mapping = ShopifyOrderMapping(shop: client.configuration.shop, timeZone: zone)
        var parts = ShopifyOrderMapping.Parts(order)
        guard let id = order["id"].textIfAny, parts.isIncomplete else { return mapping.read(order, parts) }
        while let cursor = parts.linesCursor {
            let reply = try await client.call(
                ShopifyOrderQueries.lines, ["id": .string(id), "after": .string(cursor)], for: .readOrders)
            // Deleted or refused meanwhile: what is there is not the whole order.
            guard reply.data["order"]["lineItems"].exists else { break }
            parts.add(lines: reply.data["order"]["lineItems"])
            // A shop that names the same place again would be read for ever.
            if parts.linesCursor == cursor { throw client.unexpected(reply, "the same page of lines again") }
        }
        if parts.hasMoreRefunds {
            let reply = try await client.call(
                ShopifyOrderQueries.refunds, ["id": .string(id)], for: .readOrders)
            parts.set(refunds: reply.data["order"]["refunds"])
        }
        return mapping.read(order, parts)
    }

    private static func text(_ second: Int) -> String {
        UTCTimestamp.format(Date(timeIntervalSince1970: Double(second)))
    }

    // MARK: - Cursors

    /// `first second|orders so far|cursor of Shopify's`.
    struct Position: Equatable {
        var first: Int
        var count = 0
        var cursor: String?

        init(first: Int) { self.first = first }

        init?(_ cursor: OrderCursor) {
            let parts = cursor.rawValue.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let first = Int(parts[0]), let count = Int(parts[1]) else { return nil }
            self.first = first
            self.count = count
            self.cursor = parts[2].isEmpty ? nil : String(parts[2])
        }

        /// - Parameter second: the last order's time.
        func next(_ cursor: String, count more: Int, second: Int?) -> OrderCursor {
            if count + more >= ShopifyOrders.reach, let second, second > first {
                return OrderCursor(rawValue: "\(second)|0|")
            }
            return OrderCursor(rawValue: "\(first)|\(count + more)|\(cursor)")
        }
    }
}

/// The queries of orders. Amounts are asked for in the shop's currency only.
enum ShopifyOrderQueries {
    private static let money = "{ shopMoney { amount } }"
    private static let line = """
        id sku name quantity currentQuantity originalUnitPriceSet \(money)
        discountAllocations { allocatedAmountSet \(money) } taxLines { ratePercentage priceSet \(money) }
        variant { id product { id } }
        """
    private static let address = "name company address1 address2 city province zip countryCodeV2 phone"
    private static let refund = "id note createdAt totalRefundedSet \(money)"
    private static func order(lines: Int) -> String {
        """
        id name createdAt updatedAt cancelledAt email phone note currencyCode taxesIncluded displayFinancialStatus
        displayFulfillmentStatus returnStatus paymentGatewayNames discountCodes
        currentTotalPriceSet \(money) totalPriceSet \(money) currentTotalTaxSet \(money)
        currentTotalDiscountsSet \(money) customAttributes { key value }
        customer { id firstName lastName email phone }
        billingAddress { \(address) } shippingAddress { \(address) }
        shippingLines(first: 3) { nodes { title discountedPriceSet \(money) taxLines { priceSet \(money) } } }
        transactions(first: 10) { id kind status gateway processedAt }
        refunds { \(refund) refundLineItems(first: 5) {
          nodes { quantity restockType lineItem { id } } pageInfo { hasNextPage } } }
        lineItems(first: \(lines)) { nodes { \(line) } pageInfo { hasNextPage endCursor } }
        """
    }

    static func page(_ time: OrderWindow.Time) -> ShopifyDocument {
        ShopifyDocument(
            name: "orders by \(time)",
            text: """
                query Orders($first: Int!, $query: String!, $after: String) {
                  shop { ianaTimezone }
                  orders(first: $first, after: $after, query: $query, \
                sortKey: \(time == .updated ? "UPDATED_AT" : "CREATED_AT")) {
                    nodes { \(order(lines: 5)) } pageInfo { hasNextPage endCursor }
                  }
                }
                """, cost: 980)
    }

    static let single = ShopifyDocument(
        name: "order",
        text: "query Order($id: ID!) { shop { ianaTimezone } order(id: $id) { \(order(lines: 50)) } }", cost: 620)

    static let lines = ShopifyDocument(
        name: "lines",
        text: """
            query Lines($id: ID!, $after: String!) {
              order(id: $id) {
                lineItems(first: 80, after: $after) { nodes { \(line) } pageInfo { hasNextPage endCursor } }
              }
            }
            """, cost: 900)

    static let refunds = ShopifyDocument(
        name: "refunds",
        text: """
            query Refunds($id: ID!) {
              order(id: $id) {
                refunds { \(refund) refundLineItems(first: 200) { nodes { quantity restockType lineItem { id } } } }
              }
            }
            """, cost: 410)
}
