public import Foundation
public import PostgreSQL

/// Which dead letters are meant: what the operator's tool asks for and what a replay job is frozen from.
public struct LetterFilter: Sendable, Hashable, Codable {
    /// These letters by their numbers, whatever else is said too.
    public var ids: [Int64]?
    /// The service that failed.
    public var service: String?
    /// The queue in which it failed.
    public var queue: String?
    /// The topic or kind of work.
    public var topic: String?
    /// The shop it is about.
    public var shop: String?
    /// Any of these is among its items: ERP codes, and shelves as `shop/listing`.
    public var items: [String]?
    /// The order, as `shop:id`.
    public var order: String?
    /// The batch or source: what the ERP knows it by.
    public var erp: String?
    /// The error's code, or a part of its sentence.
    public var error: String?
    /// The kind of error, whole.
    public var fingerprint: String?
    /// Failed for good at or after this time.
    public var since: Date?
    /// Failed for good before this time.
    public var until: Date?
    /// In this state only; all states if nil.
    public var state: String?
    /// Not younger than this letter: freezes a set that somebody has looked at.
    public var upTo: Int64?

    /// A filter that takes all letters in a state.
    public init(state: String? = "waiting") { self.state = state }

    private enum CodingKeys: String, CodingKey {
        case ids, service, queue, topic, shop, items, order, erp, error, fingerprint, since, until, state
        case upTo = "up_to"
    }

    /// The condition over `dead_letters.letters l`, with its parameters numbered from `first` on.
    public func condition(from first: Int = 1) -> (sql: String, parameters: [PostgresValue]) {
        var terms: [String] = []
        var parameters: [PostgresValue] = []
        func add(_ value: PostgresValue?, _ term: (String) -> String) {
            guard let value else { return }
            terms.append(term("$\(first + parameters.count)"))
            parameters.append(value)
        }
        add(ids.map { .integerArray($0) }) { "l.id = ANY(\($0)::bigint[])" }
        add(service.map { .text($0) }) { "l.service = \($0)::text" }
        add(queue.map { .text($0) }) { "l.queue = \($0)::text" }
        add(topic.map { .text($0) }) { "l.topic = \($0)::text" }
        add(shop.map { .text($0) }) { "l.shop = \($0)::text" }
        add(items.map { .textArray($0) }) { "l.items && \($0)::text[]" }
        add(order.map { .text($0) }) { "l.order_reference = \($0)::text" }
        add(erp.map { .text($0) }) { "l.erp = \($0)::text" }
        add(error.map { .text($0) }) {
            "(l.error_code = \($0)::text OR position(lower(\($0)::text) IN lower(l.error_message)) > 0)"
        }
        add(fingerprint.map { .text($0) }) { "l.fingerprint = \($0)::text" }
        add(since.map { .timestamp($0) }) { "l.failed_at >= \($0)::timestamptz" }
        add(until.map { .timestamp($0) }) { "l.failed_at < \($0)::timestamptz" }
        add(state.map { .text($0) }) { "l.state = \($0)::text" }
        add(upTo.map { .integer($0) }) { "l.id <= \($0)::bigint" }
        return (terms.isEmpty ? "true" : terms.joined(separator: " AND "), parameters)
    }
}
