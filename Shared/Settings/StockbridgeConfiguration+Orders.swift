public import Domain

extension StockbridgeConfiguration {
    /// `shops[].orders`: how the shop's orders are collected and counted.
    public struct OrderSettings: Sendable, Hashable {
        /// Whether they are collected at all.
        public let collect: Bool
        /// Seconds from the start of one pass to the start of the next.
        public let everySeconds: Int
        /// Minutes by which a pass goes back behind the end of the one before.
        public let overlapMinutes: Int
        /// Seconds by which the end of a pass stays behind the shop's clock.
        public let lagSeconds: Int
        /// Seconds by which the shop's clock may run ahead of ours before somebody is told.
        public let clockToleranceSeconds: Int
        /// The secret with which a WooCommerce shop signs its webhooks; nil means that none are taken. Always nil for
        /// Shopify, which signs with the client's secret.
        public let webhookSecret: SecretReference?
        /// Minutes for which the units of an unpaid order count as open.
        public let unpaidReserveMinutes: Int
        /// How far an order's total may be from the sum of its parts, in the order's currency, before it is held.
        public let roundingTolerance: Amount
        /// How many days the repair reads again.
        public let repairDays: Int
    }

    /// `webhooks`: where order-collector listens for what shops tell it.
    public struct Webhooks: Sendable, Hashable {
        /// The address that it listens on.
        public let bind: String
        /// The port; 0 means any free one.
        public let port: Int
        /// The address under which shops reach it, without a slash at the end; nil means that no subscriptions are
        /// kept up.
        public let publicURL: String?
        /// Whether ``publicURL`` may be plain http.
        public let insecure: Bool
        /// The largest request body that is taken, in bytes.
        public let maximumBodyBytes: Int
    }

    /// `erp`: where order reports go, and when the ERP's numbers contain what we told it.
    public struct ERP: Sendable, Hashable {
        /// The ERP's name in file names and messages: lower-case letters, digits and hyphens.
        public let name: String
        /// The addresses that order reports are mailed to; empty means that none are sent.
        public let mailbox: [String]
        /// Net file: minutes after its report was sent that an order counts as contained in the ERP's numbers
        /// (domain.md: `erp_entry_lag`).
        public let entryLagMinutes: Int
        /// Gross file: minutes after its report was sent that an order counts as shipped (domain.md: `erp_ship_lag`).
        /// A cancellation before that time is final when the shop says so.
        public let shipLagMinutes: Int
        /// The longest name of an article that the ERP takes, in characters.
        public let nameLimit: Int
        /// Minutes for which a report waits until the shop's orders are collected.
        public let reportWaitMinutes: Int
    }

    /// `reconciliation`: the daily comparison of what should be with what is.
    public struct Reconciliation: Sendable {
        /// When the mail goes out at the latest, whatever is still missing.
        public let mailBy: Schedule
        /// Names of groups in `people`; at least one.
        public let to: [String]
    }

    /// `reports`: who is told about order reports.
    public struct Reports: Sendable, Hashable {
        /// Names of groups in `people` that hear that a report was sent or held; at least one.
        public let notify: [String]
    }
}
