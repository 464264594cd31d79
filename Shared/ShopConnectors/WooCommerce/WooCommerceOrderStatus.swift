internal import Domain

/// What WooCommerce's status words say about payment, goods and cancellation.
///
/// | status | payment | goods | awaits payment |
/// |---|---|---|---|
/// | `pending`, `checkout-draft` | pending | none | yes |
/// | `on-hold` | pending | none | yes: it is where transfers and cheques wait for the money |
/// | `processing` | paid | none | no |
/// | `completed` | paid | shipped | no |
/// | `failed` | denied | none | yes: the customer may try again |
/// | `refunded` | refunded | none | no |
/// | `cancelled`, `trash` | as the payment date says | none | no; the order is cancelled |
/// | any other | as the payment date says | none | no: as `processing` |
///
/// Cash on delivery never waits, and is pending until the shop knows a payment date. A payment date overrules `pending`
/// and `on-hold`. Money that went back overrules paid: all of it is refunded, some of it partly refunded.
struct WooCommerceOrderStatus {
    let word: String
    let method: String
    let isPaid: Bool
    /// What went back, positive.
    let refunded: Amount
    let total: Amount

    /// Collected by whoever brings the goods.
    private var isCashOnDelivery: Bool { method == "cod" }

    var status: OrderStatus {
        OrderStatus(
            shopStatus: word, payment: payment, fulfilment: word == "completed" ? .shipped : .none,
            isCancelled: word == "cancelled" || word == "trash", awaitsPayment: awaitsPayment)
    }

    private var payment: OrderStatus.Payment {
        if word == "refunded" { return .refunded }
        if refunded > .zero { return refunded >= total ? .refunded : .partRefunded }
        if isPaid { return .paid }
        switch word {
        case "failed": return .denied
        case "processing", "completed": return isCashOnDelivery ? .pending : .paid
        default: return .pending
        }
    }

    private var awaitsPayment: Bool {
        guard !isPaid else { return false }
        switch word {
        case "failed": return true
        case "pending", "checkout-draft", "on-hold": return !isCashOnDelivery
        default: return false
        }
    }
}
