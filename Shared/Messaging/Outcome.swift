/// Something outside that a handler depends on, such as a shop account or the mail server.
public struct Dependency: Sendable, Equatable, Hashable {
    /// Its name in logs, metrics and alerts, such as `shop hanoi`.
    public let name: String

    /// Names a dependency.
    public init(_ name: String) { self.name = name }
}

/// Who has to do something about a failure.
public enum FailureClass: String, Sendable, Equatable {
    /// It may go well when tried again.
    case transient
    /// It will fail again as long as the message or the configuration is what it is.
    case permanent
    /// A bug of ours, or a state that should not be.
    case defect
}

/// Why a message was not done.
public struct FailureReason: Sendable, Equatable, Error {
    /// What may be done about it.
    public let failureClass: FailureClass
    /// From a closed set, so it is safe as a metric dimension; never data off the wire.
    public let code: String
    /// A sentence for the person who looks at the dead letter. No secret, no personal data.
    public let message: String

    /// A reason; `message` is cut to 2,000 characters, because headers have to stay small.
    public init(_ failureClass: FailureClass, code: String, message: String) {
        self.failureClass = failureClass
        self.code = code
        self.message = String(message.prefix(2_000))
    }
}

/// What a work handler says about a message.
public enum Outcome: Sendable, Equatable {
    /// Finished; a repetition is not needed.
    case done
    /// Finished without doing anything, because something newer had made it pointless.
    case superseded
    /// Failed, may go well later: through the delay tiers, until the attempts are used up.
    case retry(FailureReason)
    /// Not yet: come back after this long. Counts no attempt.
    case later(milliseconds: Int)
    /// Failed for good: to the dead letters.
    case park(FailureReason)
    /// The dependency is out: pause this queue and probe it. Counts no attempt.
    case `defer`(Dependency)
    /// Failed in a way that speaks for an outage of the dependency (no connection, no answer in time, 5xx, 429; never
    /// an answer that could not be understood): a retry, until there were several in a row, and then a deferral.
    case outage(Dependency, FailureReason)
}

/// What the runner does with a message.
public enum Settlement: Equatable, Sendable {
    /// Acknowledge it.
    case acknowledge
    /// Publish a copy to this tier with this attempt number, then acknowledge.
    case delay(RetryTier, attempt: Int)
    /// Publish a copy with failure headers to the dead letters, then acknowledge.
    case deadLetter(FailureReason)
    /// Delay without raising the attempt, and pause the queue until the dependency answers.
    case pause(Dependency, RetryTier)
}
