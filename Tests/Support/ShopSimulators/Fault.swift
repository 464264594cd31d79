/// Something that goes wrong on purpose. The first fault of the list that matches a call and fires is the call's.
public struct Fault: Codable, Sendable {
    /// What goes wrong.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Answers ``Fault/status`` (500 unless stated), with `Retry-After` if ``Fault/retryAfter`` is given.
        case status
        /// Answers 200 with an HTML page; nothing is done.
        case html
        /// Does what was asked, and answers 200 with JSON that is cut off in the middle.
        case malformedJSON = "malformed_json"
        /// Never answers; nothing is done.
        case timeoutBeforeWrite = "timeout_before_write"
        /// Does what was asked, and never answers.
        case lostAnswer = "lost_answer"
        /// Never answers; does what was asked ``Fault/delayMilliseconds`` after the connection is closed.
        case lateWrite = "late_write"
        /// Refuses the items of ``Fault/items`` (every second one if none are given) and does the others.
        case partialBatch = "partial_batch"
        /// Applies another quantity than was asked: one less for each item.
        case alteredQuantity = "altered_quantity"
        /// Leaves the items of ``Fault/items`` (the last one if none are given) out of its answer, but does them.
        case silentItems = "silent_items"
        /// Does what was asked after ``Fault/latencyMilliseconds``, and answers.
        case slow
        /// Resets the connection; nothing is done.
        case reset
        /// After a page of a list of orders has been read, somebody edits its first order: what follows moves up.
        case editWhileListing = "edit_while_listing"
        /// A webhook is never sent.
        case webhookLost = "webhook_lost"
        /// A webhook is sent ``Fault/copies`` times at once (twice unless stated).
        case webhookDuplicate = "webhook_duplicate"
        /// A webhook is sent ``Fault/delayMilliseconds`` late (5,000 unless stated); others overtake it.
        case webhookLate = "webhook_late"
        /// A webhook carries a wrong signature.
        case webhookForged = "webhook_forged"
        /// A webhook waits until a later one about the same order has been delivered.
        case webhookOutOfOrder = "webhook_out_of_order"

        /// Whether it happens to a webhook.
        var isOfWebhooks: Bool { rawValue.hasPrefix("webhook_") }
    }

    /// What goes wrong.
    public var kind: Kind
    /// Matches calls of this method only.
    public var method: String?
    /// Matches calls whose path begins like this, and webhooks whose topic does.
    public var path: String?
    /// Fires this often, then is gone.
    public var times: Int?
    /// Is gone after so many seconds.
    public var seconds: Double?
    /// Fires with this probability (0 to 1) for each call it matches; 1 unless stated.
    public var probability: Double?
    /// Makes the dice of ``probability`` fall the same way again.
    public var seed: UInt64?
    /// The status of ``Kind/status``.
    public var status: Int?
    /// `Retry-After` of ``Kind/status``, as it is sent.
    public var retryAfter: String?
    /// Waits so long before anything else.
    public var latencyMilliseconds: Int?
    /// How long a connection that gets no answer stays open; until the client closes it unless stated.
    public var holdMilliseconds: Int?
    /// How long after the connection's end a ``Kind/lateWrite`` is done; 1,000 unless stated.
    public var delayMilliseconds: Int?
    /// Ids of items in a batch.
    public var items: [Int]?
    /// The error code of refused items; `woocommerce_rest_product_invalid_id` unless stated.
    public var code: String?
    /// How often a ``Kind/webhookDuplicate`` is sent.
    public var copies: Int?

    /// - Parameters: as the properties of the same names.
    public init(
        _ kind: Kind, method: String? = nil, path: String? = nil, times: Int? = nil, seconds: Double? = nil,
        probability: Double? = nil, seed: UInt64? = nil, status: Int? = nil, retryAfter: String? = nil,
        latencyMilliseconds: Int? = nil, holdMilliseconds: Int? = nil, delayMilliseconds: Int? = nil,
        items: [Int]? = nil, code: String? = nil, copies: Int? = nil
    ) {
        (self.kind, self.method, self.path, self.times, self.seconds) = (kind, method, path, times, seconds)
        (self.probability, self.seed, self.status, self.retryAfter) = (probability, seed, status, retryAfter)
        (self.latencyMilliseconds, self.holdMilliseconds) = (latencyMilliseconds, holdMilliseconds)
        (self.delayMilliseconds, self.items, self.code) = (delayMilliseconds, items, code)
        self.copies = copies
    }

    private enum CodingKeys: String, CodingKey {
        case kind, method, path, times, seconds, probability, seed, status, items, code, copies
        case retryAfter = "retry_after"
        case latencyMilliseconds = "latency_ms"
        case holdMilliseconds = "hold_ms"
        case delayMilliseconds = "delay_ms"
    }
}

/// The faults that are waiting to happen. Decides; does nothing itself.
struct FaultPlan: Sendable {
    private struct Entry: Sendable {
        var fault: Fault
        let expiresAt: Double?
        var dice: SplitMix64
    }

    private var entries: [Entry] = []
    private(set) var fired: [String: Int] = [:]

    var pending: [Fault] { entries.map(\.fault) }

    mutating func add(_ fault: Fault, at now: Double) {
        let seed = fault.seed ?? UInt64.random(in: .min ... .max)
        entries.append(Entry(fault: fault, expiresAt: fault.seconds.map { now + $0 }, dice: SplitMix64(state: seed)))
    }

    mutating func removeAll() { entries = [] }

    mutating func resetCounts() { fired = [:] }

    /// The fault of a call, if it has one.
    mutating func next(method: String, path: String, at now: Double) -> Fault? {
        next(at: now) { fault in
            !fault.kind.isOfWebhooks && fault.kind != .editWhileListing && fault.method.map { $0 == method } ?? true
                && fault.path.map { path.hasPrefix($0) } ?? true
        }
    }

    /// The fault of a webhook, if it has one.
    mutating func nextWebhook(topic: String, at now: Double) -> Fault? {
        next(at: now) { $0.kind.isOfWebhooks && $0.path.map { topic.hasPrefix($0) } ?? true }
    }

    /// Whether a list of orders changes after this page of it.
    mutating func nextListing(at now: Double) -> Bool { next(at: now) { $0.kind == .editWhileListing } != nil }

    private mutating func next(at now: Double, where matches: (Fault) -> Bool) -> Fault? {
        entries.removeAll { $0.expiresAt.map { $0 <= now } ?? false }
        for index in entries.indices {
            let fault = entries[index].fault
            guard matches(fault) else { continue }
            if let probability = fault.probability, entries[index].dice.unit() >= probability { continue }
            if let times = fault.times {
                entries[index].fault.times = times - 1
                if times <= 1 { entries.remove(at: index) }
            }
            fired[fault.kind.rawValue, default: 0] += 1
            return fault
        }
        return nil
    }
}

/// A small generator whose results depend on its seed alone.
struct SplitMix64: Sendable, RandomNumberGenerator {
    var state: UInt64

    /// From 0 up to, not including, 1.
    mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
