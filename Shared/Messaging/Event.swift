public import Contracts
public import Foundation

/// The trace a message belongs to, as W3C Trace Context writes it.
public struct TraceContext: Sendable, Equatable {
    /// `traceparent`: version, trace id, parent span id and flags.
    public let parent: String
    /// `tracestate`, if there is one.
    public let state: String?

    /// Takes both headers as they came.
    public init(parent: String, state: String? = nil) {
        self.parent = parent
        self.state = state
    }

    /// The beginning of a new trace.
    public static func started() -> TraceContext {
        TraceContext(parent: "00-\(hex(16))-\(hex(8))-01")
    }

    /// The same trace with a span of its own for what is caused now.
    public func child() -> TraceContext {
        let parts = parent.split(separator: "-")
        guard parts.count == 4, parts[1].count == 32 else { return .started() }
        return TraceContext(parent: "00-\(parts[1])-\(Self.hex(8))-\(parts[3])", state: state)
    }

    private static func hex(_ bytes: Int) -> String {
        (0..<bytes).map { _ in
            let byte = UInt8.random(in: .min ... .max)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

/// A typed event or command with what the envelope says about it (messaging.md, "Envelope").
public struct Event<Payload: EventPayload>: Sendable {
    /// The event's identity, which deduplication goes by; a retry or a replay keeps it.
    public let id: UUID
    /// What it is about: a SKU, a shop, `shop:order`. Batches are applied in this order.
    public let subject: String
    /// The run or the order it belongs to.
    public let correlation: String
    /// When it happened, by the clock of the service that says so.
    public let occurredAt: Date
    /// The trace it belongs to.
    public let trace: TraceContext
    /// Which attempt this is; 1 for the first.
    public let attempt: Int
    /// The replay job that sent it again, if one did.
    public let replayID: String?
    /// The facts.
    public let payload: Payload

    /// A new event.
    public init(
        _ payload: Payload, id: UUID = UUID(), subject: String, correlation: String, occurredAt: Date,
        trace: TraceContext = .started()
    ) {
        self.init(
            payload, id: id, subject: subject, correlation: correlation, occurredAt: occurredAt, trace: trace,
            attempt: 1, replayID: nil)
    }

    init(
        _ payload: Payload, id: UUID, subject: String, correlation: String, occurredAt: Date, trace: TraceContext,
        attempt: Int, replayID: String?
    ) {
        self.payload = payload
        self.id = id
        self.subject = subject
        self.correlation = correlation
        self.occurredAt = occurredAt
        self.trace = trace
        self.attempt = attempt
        self.replayID = replayID
    }

    /// The event that handling this one gives rise to: same correlation and trace.
    public func causing<Next: EventPayload>(_ next: Next, subject: String, at time: Date) -> Event<Next> {
        Event<Next>(next, subject: subject, correlation: correlation, occurredAt: time, trace: trace.child())
    }
}
