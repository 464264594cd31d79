import Contracts
import Foundation

/// The conditions of the system about itself.
enum WatchKind: String, Sendable, CaseIterable {
    case deadLettersGrowing = "dead-letters-growing"
    case deadLettersOld = "dead-letters-old"
    case unrouted
    case brokerAway = "broker-away"
    case brokerBlocked = "broker-blocked"
    case outboxLag = "outbox-lag"
    case serviceAway = "service-away"
    case scheduleMissed = "schedule-missed"

    /// The kind of a condition such as `outbox-lag:notifier`.
    init?(condition: String) {
        self.init(rawValue: String(condition.prefix { $0 != ":" }))
    }

    /// A condition of this kind, about one thing or about the whole system.
    func condition(_ subject: String? = nil) -> String { subject.map { "\(rawValue):\($0)" } ?? rawValue }

    /// One mail for several of a kind that begin, or end, at the same look.
    func titleOfMany(_ count: Int) -> String {
        switch self {
        case .outboxLag: "\(count) services cannot publish their events"
        case .brokerBlocked: "The broker takes nothing from \(count) services"
        case .serviceAway: "\(count) services are not running"
        case .scheduleMissed: "\(count) schedules did not run"
        default: "\(count) conditions: \(rawValue)"
        }
    }

    /// How it ended, as a sentence.
    func ending(_ subject: String?) -> String {
        let subject = subject ?? ""
        return switch self {
        case .deadLettersGrowing:
            "No more messages fail for good than is normal. Those that did still wait for a decision."
        case .deadLettersOld: "No dead letter has waited too long any more."
        case .unrouted: "The queue stockbridge.unrouted is empty."
        case .brokerAway: "The broker answers again; what had waited in the outboxes goes out by itself."
        case .brokerBlocked: "The broker takes what \(subject) publishes again; what had waited goes out by itself."
        case .outboxLag: "What had waited in the outbox of \(subject) was published."
        case .serviceAway: "\(subject) is running; it takes up the work that waited in its queues."
        case .scheduleMissed: "The schedule \(subject) runs again."
        }
    }
}

/// One condition that holds at a look, with what people would be told.
struct WatchFinding: Sendable, Equatable {
    var condition: String
    var kind: WatchKind
    /// The service that it is about, if it is about one.
    var service: ServiceName?
    /// Since when, by business time.
    var since: Date
    var severity: AlertRaised.Severity
    var title: String
    /// What happened, and what the system does about it.
    var text: String
    var whatToDo: String
    /// What can be typed to do it.
    var commands: [String]
    /// Real seconds for which it has to hold before it is told; never less than ``WatchRules/leastSeconds``.
    var patienceSeconds = WatchRules.leastSeconds
}

/// What was told of a condition before.
struct WatchMemory: Sendable, Equatable {
    var condition: String
    var isOpen: Bool
    /// Since when it is not as it was told, by the database server's clock.
    var differsSince: Date?
}

/// What a look leads to.
struct WatchDecision: Sendable, Equatable {
    /// Conditions that begin.
    var raise: [WatchFinding] = []
    /// Conditions that are over.
    var clear: [String] = []
    /// What to remember of those that changed. A condition that is closed and as it was told need not be remembered.
    var remember: [WatchMemory] = []
}
