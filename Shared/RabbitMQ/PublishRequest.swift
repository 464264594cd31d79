/// One call of ``Publisher/publish(_:)`` on its way.
///
/// `@unchecked Sendable`: it is handed over once, through the publisher's mailbox, and from then on only touched by
/// the publisher's thread.
final class PublishRequest: @unchecked Sendable {
    let messages: [OutgoingMessage]
    /// When the caller gives up waiting for the broker's answers.
    let deadline: ContinuousClock.Instant
    private let continuation: CheckedContinuation<Result<[PublishOutcome], BrokerError>, Never>
    private(set) var outcomes: [PublishOutcome]
    private var settled: [Bool]
    private var open: Int
    /// Index of the first message that was not sent.
    var next = 0

    init(
        _ messages: [OutgoingMessage], deadline: ContinuousClock.Instant,
        continuation: CheckedContinuation<Result<[PublishOutcome], BrokerError>, Never>
    ) {
        self.messages = messages
        self.deadline = deadline
        self.continuation = continuation
        outcomes = Array(repeating: .confirmed, count: messages.count)
        settled = Array(repeating: false, count: messages.count)
        open = messages.count
    }

    var isFinished: Bool { open == 0 }
    var isEntirelySent: Bool { next == messages.count }

    /// Records a return; the broker's confirm of the same message follows and keeps it.
    func markReturned(_ index: Int, code: Int, text: String) {
        if !settled[index] { outcomes[index] = .returned(code: code, text: text) }
    }

    func isReturned(_ index: Int) -> Bool {
        if case .returned = outcomes[index] { true } else { false }
    }

    /// The broker's answer. Later answers for the same message change nothing. Resumes the caller after the last one.
    func settle(_ index: Int, _ outcome: PublishOutcome) {
        guard !settled[index] else { return }
        settled[index] = true
        // An ack after a return only says that the broker is done with the message.
        if !(outcome == .confirmed && isReturned(index)) { outcomes[index] = outcome }
        open -= 1
        if open == 0 { continuation.resume(returning: .success(outcomes)) }
    }

    /// Ends the request: messages without an answer become ``PublishOutcome/unconfirmed(_:)``; if none was sent at all
    /// the error is thrown instead.
    func fail(_ error: BrokerError) {
        guard open > 0 else { return }
        if next == 0 {
            open = 0
            continuation.resume(returning: .failure(error))
            return
        }
        for index in messages.indices where !settled[index] {
            settled[index] = true
            if !isReturned(index) { outcomes[index] = .unconfirmed(error) }
        }
        open = 0
        continuation.resume(returning: .success(outcomes))
    }
}

extension OutgoingMessage {
    /// What can be known to be wrong before sending. The library checks none of it: a larger header table kills the
    /// connection, a longer short string garbles the frame.
    func checkLimits() throws(BrokerError) {
        let shortFields: [(String, String?)] = [
            ("exchange", exchange), ("routing key", routingKey), ("content type", properties.contentType),
            ("message id", properties.messageID), ("correlation id", properties.correlationID),
            ("type", properties.type), ("app id", properties.appID),
        ]
        for case (let field, let text?) in shortFields where text.utf8.count > 255 {
            throw .fieldTooLong(field: field, bytes: text.utf8.count)
        }
        if properties.headers.isEmpty { return }
        let bytes = HeaderSize.bytes(of: properties.headers)
        guard bytes <= HeaderSize.limit else { throw .headersTooLarge(bytes: bytes) }
        try HeaderSize.checkNames(properties.headers)
    }
}

extension HeaderSize {
    /// Names in tables are short strings too, at every depth.
    static func checkNames(_ table: [String: HeaderValue]) throws(BrokerError) {
        for (name, value) in table {
            guard name.utf8.count <= 255 else {
                throw .fieldTooLong(field: "header name", bytes: name.utf8.count)
            }
            try checkNames(in: value)
        }
    }

    private static func checkNames(in value: HeaderValue) throws(BrokerError) {
        switch value {
        case .table(let table): try checkNames(table)
        case .array(let values): for value in values { try checkNames(in: value) }
        default: return
        }
    }
}
