import Foundation

/// What belongs to an order: payments, refunds, deliveries, people.
extension ShopifyView {
    static func transactions(_ order: SimulatedOrder, _ money: ShopifyMoney) -> [GraphQLObject] {
        let gateways = ["cod": "Cash on Delivery (COD)", "bacs": "Bank Deposit"]
        func transaction(
            _ id: Int, _ kind: String, _ status: String, _ amount: Amount, _ at: Date
        ) -> GraphQLObject {
            GraphQLObject(
                "OrderTransaction",
                [
                    "id": .text(ShopifyID.text("OrderTransaction", id)), "kind": .text(kind), "status": .text(status),
                    "gateway": .text(order.paymentMethod),
                    "formattedGateway": .text(gateways[order.paymentMethod] ?? order.paymentMethod),
                    "createdAt": .text(ShopifyTime.text(at)), "processedAt": .text(ShopifyTime.text(at)),
                    "amountSet": money.bag(amount),
                ])
        }
        let status = order.facts.isPaid ? "SUCCESS" : order.facts.hasFailed ? "FAILURE" : "PENDING"
        let sale = transaction(
            order.id * 100, "SALE", status, order.total, order.facts.paidAt ?? order.placedAt)
        return [sale]
            + order.refunds.enumerated().map { index, refund in
                transaction(order.id * 100 + index + 1, "REFUND", "SUCCESS", refund.amount, refund.createdAt)
            }
    }

    func refunds(_ order: SimulatedOrder, _ money: ShopifyMoney) -> [GraphQLObject] {
        order.refunds.map { refund in
            let time = GraphQLValue.text(ShopifyTime.text(refund.createdAt))
            return GraphQLObject("Refund") { (field) throws(GraphQLProblem) in
                switch field.field.name {
                case "id": return .text(ShopifyID.text("Refund", refund.id))
                case "legacyResourceId": return .text("\(refund.id)")
                case "note": return refund.reason.isEmpty ? .null : .text(refund.reason)
                case "createdAt", "updatedAt": return time
                case "totalRefundedSet": return money.bag(refund.amount)
                case "refundLineItems":
                    return .connection(
                        try GraphQLPage(
                            refund.lines, field, key: { ShopifyKey(number: Double($0.lineID), id: $0.lineID) }
                        ) { self.refundLineObject($0, refund, order, money) })
                default: return .null
                }
            }
        }
    }

    private func refundLineObject(
        _ line: OrderRefund.Line, _ refund: OrderRefund, _ order: SimulatedOrder, _ money: ShopifyMoney
    ) -> GraphQLObject {
        let item = order.lines.first { $0.id == line.lineID }.map { GraphQLValue.object(lineObject($0, of: order)) }
        return GraphQLObject(
            "RefundLineItem",
            [
                "id": .text(ShopifyID.text("RefundLineItem", refund.id * 1_000 + line.lineID)),
                "lineItem": item ?? .null, "quantity": .number(line.quantity), "restocked": .boolean(refund.restocked),
                "restockType": .text(refund.restocked ? "RETURN" : "NO_RESTOCK"), "subtotalSet": money.bag(line.amount),
                "priceSet": money.bag(line.amount),
            ])
    }

    static func fulfillments(_ order: SimulatedOrder) -> [GraphQLObject] {
        guard let date = order.facts.fulfilledAt else { return [] }
        let time = GraphQLValue.text(ShopifyTime.text(date))
        return [
            GraphQLObject(
                "Fulfillment",
                [
                    "id": .text(ShopifyID.text("Fulfillment", order.id)), "status": .text("SUCCESS"), "createdAt": time,
                    "updatedAt": time, "trackingInfo": .list([]),
                ])
        ]
    }

    func customerObject(_ order: SimulatedOrder) -> GraphQLValue {
        let customer = order.customer
        guard customer.id != 0 else { return .null }
        return .object(
            GraphQLObject(
                "Customer",
                [
                    "id": .text(ShopifyID.text("Customer", customer.id)), "legacyResourceId": .text("\(customer.id)"),
                    "firstName": .text(customer.firstName), "lastName": .text(customer.lastName),
                    "displayName": .text("\(customer.firstName) \(customer.lastName)"),
                    "email": .text(customer.email), "phone": .text(customer.phone),
                ]))
    }

    static func addressObject(_ address: PostalAddress, _ id: Int, _ kind: String) -> GraphQLObject {
        func text(_ value: String) -> GraphQLValue { value.isEmpty ? .null : .text(value) }
        return GraphQLObject(
            "MailingAddress",
            [
                "id": .text("gid://shopify/MailingAddress/\(id)?model_name=\(kind)"),
                "name": text("\(address.firstName) \(address.lastName)"), "firstName": text(address.firstName),
                "lastName": text(address.lastName), "company": text(address.company),
                "address1": text(address.address1),
                "address2": .null, "city": text(address.city), "province": text(address.state),
                "provinceCode": text(address.state), "zip": text(address.postcode),
                "country": .text(address.country == "VN" ? "Vietnam" : address.country),
                "countryCodeV2": text(address.country), "phone": text(address.phone),
            ])
    }
}
