import Foundation

/// What waits for one service, how fast it goes, and whether more replicas would help; values only.
struct ServiceLoad: Sendable, Equatable {
    /// One consumer queue.
    struct Queue: Sendable, Equatable {
        var name: String
        /// Messages that nobody has taken yet.
        var ready: Int
        /// Subscriptions; none while the queue is paused because what its messages call is out.
        var consumers: Int
        /// Messages begun a second, over the last minute.
        var perSecond: Double
        /// The shop that its messages call; nil if they call none, or different ones.
        var shop: String?

        init(_ name: String, ready: Int = 0, consumers: Int = 1, perSecond: Double = 0, shop: String? = nil) {
            (self.name, self.ready, self.consumers) = (name, ready, consumers)
            (self.perSecond, self.shop) = (perSecond, shop)
        }

        /// Nil while nothing is known of its pace.
        var drainSeconds: Double? { ready == 0 ? 0 : perSecond > 0 ? Double(ready) / perSecond : nil }
    }

    /// How much of a shop's limit is used, by all services together.
    struct Pace: Sendable, Equatable {
        var shop: String
        /// Calls a second that the configuration allows.
        var limit: Double
        /// Calls a second, over the last twenty seconds or so.
        var used: Double
        /// Its breaker is open, or the platform asked for a pause.
        var isOut: Bool = false

        /// At so much of it the limit is what holds the work up: calls cannot be spaced more evenly.
        static let fullShare = 0.8

        var isFull: Bool { used >= limit * Self.fullShare }
    }

    var service: String
    /// Replicas that are alive.
    var replicas: Int
    var queues: [Queue] = []
    /// Messages that replicas work on now.
    var inHand = 0
    /// Messages that failed and wait in a delay tier for their next attempt.
    var retrying = 0
    /// Events that wait in the outbox to be published.
    var outbox = 0

    var ready: Int { queues.map(\.ready).reduce(0, +) }
    var perSecond: Double { queues.map(\.perSecond).reduce(0, +) }
    /// Until the slowest queue is empty at its present pace; nil if one of them stands still.
    var drainSeconds: Double? {
        queues.reduce(0) { longest, queue in
            guard let longest, let seconds = queue.drainSeconds else { return nil }
            return max(longest, seconds)
        }
    }
}

/// Whether more replicas of a service would help, and why not.
enum ScalingAdvice: Sendable, Equatable {
    /// Nothing waits, or not for long.
    case enough
    /// No replica is alive.
    case start
    /// More replicas would do more: so many at once are worth a try. These shops give no more in any case.
    case scale(by: Int, full: [String])
    /// These shops take no more calls than they get already.
    case full([String])
    /// These shops are out; what waits for them is paused.
    case out([String])
    /// Nothing has moved within the last minute, and nobody knows why from here.
    case still

    /// Work that is done within a minute is not worth another process.
    static let worthwhileSeconds: Double = 60
    /// More in all were never tried.
    static let mostReplicas = 8

    static func of(_ load: ServiceLoad, paces: [ServiceLoad.Pace]) -> ScalingAdvice {
        guard load.ready > 0 else { return .enough }
        guard load.replicas > 0 else { return .start }
        let pace = Dictionary(paces.map { ($0.shop, $0) }) { first, _ in first }
        let slow = load.queues.filter { ($0.drainSeconds ?? .infinity) > worthwhileSeconds }
        guard !slow.isEmpty else { return .enough }
        let waiting = slow.filter { !isOut($0, pace) }
        guard !waiting.isEmpty else { return .out(shops(of: slow)) }
        let moving = waiting.filter { $0.perSecond > 0 }
        guard !moving.isEmpty else { return .still }
        let full = moving.filter { $0.shop.flatMap { pace[$0] }?.isFull == true }
        let more = moving.map { further(for: $0, load.replicas, pace) }.max() ?? 0
        guard full.count < moving.count, more > 0 else { return full.isEmpty ? .enough : .full(shops(of: full)) }
        return .scale(by: more, full: shops(of: full))
    }

    private static func isOut(_ queue: ServiceLoad.Queue, _ pace: [String: ServiceLoad.Pace]) -> Bool {
        guard let shop = queue.shop else { return false }
        return pace[shop]?.isOut == true || (queue.consumers == 0 && queue.perSecond == 0)
    }

    /// How many more replicas would bring a queue down to the worthwhile time, as far as its shop's limit allows.
    private static func further(
        for queue: ServiceLoad.Queue, _ replicas: Int, _ pace: [String: ServiceLoad.Pace]
    ) -> Int {
        guard let seconds = queue.drainSeconds else { return 0 }
        var total = min(Double(mostReplicas), (Double(replicas) * seconds / worthwhileSeconds).rounded(.up))
        if let shop = queue.shop, let pace = pace[shop] {
            if pace.isFull { return 0 }
            // Each replica is taken to call as often as those there are now.
            if pace.used > 0 { total = min(total, (Double(replicas) * pace.limit / pace.used).rounded(.down)) }
        }
        return max(0, Int(total) - replicas)
    }

    private static func shops(of queues: [ServiceLoad.Queue]) -> [String] {
        Set(queues.compactMap(\.shop)).sorted()
    }

    /// How many more replicas are worth a try; 0 if none are.
    var moreReplicas: Int {
        if case .scale(let more, _) = self { more } else { 0 }
    }

    /// One sentence for a person; nil where nothing is to be said.
    func sentence(_ load: ServiceLoad, paces: [ServiceLoad.Pace]) -> String? {
        let waiting = "\(load.service): \(Wording.count(load.ready, "message"))"
        let replicas = Wording.count(load.replicas, "replica")
        let pace = load.drainSeconds.map { ", \(Self.drain($0)) to drain with \(replicas)" } ?? ""
        switch self {
        case .enough: return nil
        case .start: return "\(waiting), and no replica is alive: start one."
        case .scale(let more, let full):
            let verb = full.count == 1 ? "is" : "are"
            let rest = full.isEmpty ? "" : "; \(Self.listed(full)) \(verb) at the limit already"
            let callsShops = load.queues.contains { $0.shop != nil && $0.ready > 0 }
            let reason = callsShops ? "the shops' rate limits allow" : "try"
            return "\(waiting)\(pace); \(reason) \(more) more\(rest)."
        case .full(let shops):
            let limits = paces.filter { shops.contains($0.shop) }.map { "\($0.shop) \(Self.rate($0.limit))" }
            return "\(waiting)\(pace); more would not help: the shops' rate limits are used up "
                + "(\(limits.joined(separator: ", ")) a second)."
        case .out(let shops):
            return "\(waiting); more would not help: \(Self.listed(shops)) \(shops.count == 1 ? "is" : "are") out, and "
                + "the work goes on by itself afterwards."
        case .still:
            return "\(waiting), and none was begun within the last minute; look at its log before adding replicas."
        }
    }

    /// Whole minutes from one minute on: a pace is no exact science.
    static func drain(_ seconds: Double) -> String {
        Wording.duration(seconds < 60 ? seconds : (seconds / 60).rounded() * 60)
    }

    /// `50`, `2.5`, `20`.
    static func rate(_ perSecond: Double) -> String {
        if perSecond > 0 && perSecond < 0.05 { return "<0.1" }
        return perSecond >= 10 || perSecond == perSecond.rounded()
            ? Wording.grouped(Int(perSecond.rounded())) : String(format: "%.1f", perSecond)
    }

    private static func listed(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "the shop" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }
}
