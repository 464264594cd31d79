/// The moments at which a process that dies is most likely to lose or repeat something.
public enum FaultPoint: String, Sendable, CaseIterable {
    /// The effects are committed, the broker does not know that the message was taken.
    case afterCommitBeforeAcknowledgement = "after-commit-before-ack"
    /// The outside system has answered, our tables do not know.
    case afterCallBeforeCommit = "after-http-before-commit"
    /// The broker has the event, the outbox row still says it was not sent.
    case afterPublishBeforeMark = "after-publish-before-mark"
}

/// The port through which tests kill a process at a named moment. Services are composed with ``none``.
public struct FaultInjection: Sendable {
    private let hook: @Sendable (FaultPoint) -> Void

    /// - Parameter hook: Called each time a point is reached; may end the process.
    public init(_ hook: @escaping @Sendable (FaultPoint) -> Void) { self.hook = hook }

    /// Says that the point is reached.
    public func reached(_ point: FaultPoint) { hook(point) }

    /// Nothing ever happens.
    public static let none = FaultInjection { _ in }
}
