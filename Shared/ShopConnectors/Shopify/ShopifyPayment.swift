internal import Domain
internal import Foundation

/// What a Shopify order says about its money, goods and cancellation.
///
/// | financial status | payment | awaits payment |
/// |---|---|---|
/// | `PENDING`, `PARTIALLY_PAID` | pending | yes, unless it is paid on delivery or on account |
/// | `AUTHORIZED`, `PAID` | paid | no |
/// | `PARTIALLY_REFUNDED` | partly refunded | no |
/// | `REFUNDED` | refunded | no |
/// | `EXPIRED`, `VOIDED` | denied | as `PENDING` |
///
/// On delivery: every gateway's name says so (`cod`, "Cash on Delivery", "Thanh toán khi nhận hàng"). On account:
/// `manual`,
/// which the shop's people choose for orders that they enter themselves. A transfer (`Bank Deposit`) waits. A cancelled
/// order waits for nothing.
struct ShopifyPayment {
    let payment: OrderPayment
    private let gateways: [String]

    init(_ facts: JSONFacts) throws(UnreadableFact) {
        gateways = try facts["paymentGatewayNames"].list().compactMap(\.textIfAny)
        let received = try facts["transactions"].list().last { transaction in
            ["SALE", "CAPTURE"].contains(transaction["kind"].words) && transaction["status"].words == "SUCCESS"
        }
        payment = OrderPayment(
            method: gateways.joined(separator: ", "),
            reference: ShopifyID.number(received?["id"].textIfAny, "OrderTransaction") ?? "",
            paidAt: received.flatMap { ShopifyOrderMapping.moment($0["processedAt"]) })
    }

    func status(_ facts: JSONFacts) -> OrderStatus {
        let financial = facts["displayFinancialStatus"].textIfAny ?? "PENDING"
        let goods = facts["displayFulfillmentStatus"].textIfAny ?? "UNFULFILLED"
        let cancelledAt = ShopifyOrderMapping.moment(facts["cancelledAt"])
        let payment = Self.payment(financial)
        let isOpen = payment == .pending || payment == .denied
        return OrderStatus(
            shopStatus: "\(financial.lowercased())/\(goods.lowercased())", payment: payment,
            fulfilment: facts["returnStatus"].textIfAny == "RETURNED" ? .returned : Self.fulfilment(goods),
            isCancelled: cancelledAt != nil, cancelledAt: cancelledAt,
            awaitsPayment: isOpen && cancelledAt == nil && !needsNoPaymentBefore)
    }

    private var needsNoPaymentBefore: Bool { !gateways.isEmpty && gateways.allSatisfy(Self.isOnDeliveryOrAccount) }

    private static func isOnDeliveryOrAccount(_ gateway: String) -> Bool {
        let name = gateway.lowercased()
        let words = name.split { !$0.isLetter }
        return name == "manual" || words.contains("cod") || name.contains("cash on delivery")
            || name.contains("thanh toán khi nhận")
    }

    private static func payment(_ financial: String) -> OrderStatus.Payment {
        switch financial {
        case "AUTHORIZED", "PAID": .paid
        case "PARTIALLY_REFUNDED": .partRefunded
        case "REFUNDED": .refunded
        case "EXPIRED", "VOIDED": .denied
        default: .pending
        }
    }

    private static func fulfilment(_ goods: String) -> OrderStatus.Fulfilment {
        switch goods {
        case "FULFILLED": .shipped
        case "PARTIALLY_FULFILLED": .partShipped
        default: .none
        }
    }
}
