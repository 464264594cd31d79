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
        TraceContext(parent: text(trace: nil, flags: (UInt8(ascii: "0"), UInt8(ascii: "1"))))
    }

    /// The same trace with a span of its own for what is caused now.
    public func child() -> TraceContext {
        var parent = self.parent
        let text = parent.withUTF8 { bytes -> String? in
            let hyphen = UInt8(ascii: "-")
            guard bytes.count == 55, bytes[2] == hyphen, bytes[35] == hyphen, bytes[52] == hyphen else { return nil }
            let trace = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[3..<35]))
            return Self.text(trace: trace, flags: (bytes[53], bytes[54]))
        }
        return text.map { TraceContext(parent: $0, state: state) } ?? .started()
    }

    /// `00-<trace, 32 digits>-<new span, 16 digits>-<flags>`; a trace of its own if none is given.
    private static func text(trace: UnsafeRawBufferPointer?, flags: (UInt8, UInt8)) -> String {
        let hyphen = UInt8(ascii: "-")
        return String(unsafeUninitializedCapacity: 55) { target in
            withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { random in
                RandomBytes.fill(random)
                (target[0], target[1], target[2]) = (UInt8(ascii: "0"), UInt8(ascii: "0"), hyphen)
                if let trace {
                    for (index, byte) in trace.enumerated() { target[3 + index] = byte }
                } else {
                    _ = HexText.write(UnsafeRawBufferPointer(rebasing: random[8...]), to: target, at: 3)
                }
                target[35] = hyphen
                _ = HexText.write(UnsafeRawBufferPointer(rebasing: random[..<8]), to: target, at: 36)
                (target[52], target[53], target[54]) = (hyphen, flags.0, flags.1)
            }
            return 55
        }
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
        _ payload: Payload, id: UUID = RandomBytes.uuid(), subject: String, correlation: String, occurredAt: Date,
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
