public import Domain
public import Foundation

/// What an alert is about. No personal data: a shop or a source, never an order's customer.
public struct AlertSubject: Sendable, Hashable, Codable {
    /// The shop, if it is about one.
    public var shop: ShopName?
    /// The source, if it is about one.
    public var source: SourceName?

    /// A subject; without arguments the alert is about the service itself.
    public init(shop: ShopName? = nil, source: SourceName? = nil) {
        self.shop = shop
        self.source = source
    }
}

/// `alert.raised`: a condition that a person should know of has begun. Raising it again while it lasts changes nothing.
public struct AlertRaised: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("alert.raised", 1, 0)

    /// How soon somebody should look.
    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable {
        /// Good to know.
        case info
        /// Look today.
        case warning
        /// Look now.
        case critical
    }

    /// Names the condition, the same when it is raised again and when it is cleared, for instance `file_late:erp`.
    public var condition: String
    /// The service that found it.
    public var service: ServiceName
    /// What it is about.
    public var subject: AlertSubject
    /// How soon somebody should look.
    public var severity: Severity
    /// One line.
    public var title: String
    /// What happened, to what, and what the system did.
    public var text: String
    /// What a person can do about it.
    public var whatToDo: String
    /// When it began.
    public var raisedAt: Date

    /// An alert.
    public init(
        condition: String, service: ServiceName, subject: AlertSubject = AlertSubject(), severity: Severity,
        title: String, text: String, whatToDo: String, raisedAt: Date
    ) {
        self.condition = condition
        self.service = service
        self.subject = subject
        self.severity = severity
        self.title = title
        self.text = text
        self.whatToDo = whatToDo
        self.raisedAt = raisedAt
    }

    private enum CodingKeys: String, CodingKey {
        case condition, service, subject, severity, title, text
        case whatToDo = "what_to_do"
        case raisedAt = "raised_at"
    }
}

/// `alert.cleared`: a condition is over.
public struct AlertCleared: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("alert.cleared", 1, 0)

    /// The condition, as it was raised.
    public var condition: String
    /// The service that found it.
    public var service: ServiceName
    /// What it was about.
    public var subject: AlertSubject
    /// How it ended, as a sentence.
    public var text: String
    /// When it ended.
    public var clearedAt: Date

    /// The end of an alert.
    public init(
        condition: String, service: ServiceName, subject: AlertSubject = AlertSubject(), text: String, clearedAt: Date
    ) {
        self.condition = condition
        self.service = service
        self.subject = subject
        self.text = text
        self.clearedAt = clearedAt
    }

    private enum CodingKeys: String, CodingKey {
        case condition, service, subject, text
        case clearedAt = "cleared_at"
    }
}
