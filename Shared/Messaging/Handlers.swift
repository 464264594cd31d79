public import Contracts

/// Effects in our own tables: many events, one transaction, claimed in the inbox by the runner.
public protocol BatchHandler<Payload>: Sendable {
    /// The payload it takes.
    associatedtype Payload: EventPayload

    /// Applies events that nobody has applied before, sorted by subject.
    ///
    /// Throwing rolls the batch back; the runner then applies its events one at a time, so that a bad one costs nobody
    /// else an attempt. A thrown `FailureReason` says what may be done; a `PostgresError` is classified by its state.
    func apply(_ events: [Event<Payload>], in work: UnitOfWork) throws
}

/// Work outside: claim, call, record. Has to be safe to repeat.
public protocol WorkHandler<Payload>: Sendable {
    /// The payload it takes.
    associatedtype Payload: EventPayload

    /// The longest one performance may take. A second delivery of the same message waits this long after a crash.
    var leaseSeconds: Int { get }

    /// Does the work; does not throw, so it has to classify.
    func perform(_ event: Event<Payload>, _ context: WorkContext) async -> Outcome
}

/// What a work handler gets beside the event.
public struct WorkContext: Sendable {
    let database: ServiceDatabase
    let consumer: String
    let claim: InboxClaim
    let replay: ReplayMark?

    /// Records the result of the work and that the message is done, in one transaction.
    ///
    /// After this the handler returns `.done`. A handler with nothing to record need not call it.
    @discardableResult
    public func complete<Result: Sendable>(
        _ body: @escaping @Sendable (UnitOfWork) throws -> Result
    ) async throws -> Result {
        let (consumer, claim, replay) = (self.consumer, self.claim, self.replay)
        return try await database.unitOfWork { work in
            let result = try body(work)
            if try claim.markDone(consumer: consumer, in: work.transaction) {
                try replay?.settle(.processed, in: work)
            }
            return result
        }
    }
}

/// A batch handler with its payload's type erased.
public struct BatchRoute: Sendable {
    let type: String
    let decode: @Sendable (IncomingMessage) throws(FailureReason) -> any Sendable
    let apply: @Sendable ([any Sendable], UnitOfWork) throws -> Void

    /// Routes messages of the handler's payload type to it.
    ///
    /// - Parameter type: The message's topic, if it is not the payload's own name (a command's).
    public init<Handler: BatchHandler>(_ handler: Handler, type: String? = nil) {
        self.type = type ?? Handler.Payload.type.name
        decode = { message throws(FailureReason) in try message.event(Handler.Payload.self) }
        apply = { events, work in
            try handler.apply(events.compactMap { $0 as? Event<Handler.Payload> }, in: work)
        }
    }
}

/// A work handler with its payload's type erased.
public struct WorkRoute: Sendable {
    let type: String
    let leaseSeconds: Int
    let decode: @Sendable (IncomingMessage) throws(FailureReason) -> any Sendable
    let perform: @Sendable (any Sendable, WorkContext) async -> Outcome

    /// Routes messages of the handler's payload type to it.
    ///
    /// - Parameter type: The message's topic, if it is not the payload's own name (a command's).
    public init<Handler: WorkHandler>(_ handler: Handler, type: String? = nil) {
        self.type = type ?? Handler.Payload.type.name
        leaseSeconds = handler.leaseSeconds
        decode = { message throws(FailureReason) in try message.event(Handler.Payload.self) }
        perform = { event, context in
            guard let event = event as? Event<Handler.Payload> else {
                return .park(
                    FailureReason(.defect, code: "route.type", message: "A message reached the wrong handler."))
            }
            return await handler.perform(event, context)
        }
    }
}
