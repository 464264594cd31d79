internal import CRabbitMQ
internal import Concurrency
internal import Synchronization

/// Publishes with confirms over a connection of its own.
///
/// Any number of tasks may call ``publish(_:)`` at the same time; their messages share the connection, the window and
/// the system calls. The publisher connects on first use, and again after a loss, after a pause that grows with the
/// failures in a row.
public actor Publisher {
    /// Times of the publisher; all have a bound, so nothing waits for ever.
    public struct Limits: Sendable {
        /// A message without an answer after this many seconds is ``PublishOutcome/unconfirmed(_:)``.
        public var confirmTimeoutSeconds: Double
        /// How long a message may wait for the end of a memory or disk alarm before ``BrokerError/blocked``.
        public var blockedWaitSeconds: Double
        /// The longest pause before the second attempt to connect.
        public var firstReconnectDelaySeconds: Double
        /// The longest pause between attempts to connect.
        public var longestReconnectDelaySeconds: Double

        /// Thirty seconds for confirms, five for alarms, pauses between 0.2 and 10 seconds.
        public init(
            confirmTimeoutSeconds: Double = 30, blockedWaitSeconds: Double = 5,
            firstReconnectDelaySeconds: Double = 0.2, longestReconnectDelaySeconds: Double = 10
        ) {
            self.confirmTimeoutSeconds = confirmTimeoutSeconds
            self.blockedWaitSeconds = blockedWaitSeconds
            self.firstReconnectDelaySeconds = firstReconnectDelaySeconds
            self.longestReconnectDelaySeconds = longestReconnectDelaySeconds
        }
    }

    struct Mailbox {
        var requests: [PublishRequest] = []
        var isDriving = false
        var isClosed = false
        var isBlocked = false
        /// Why there is no connection; nil while there is one or none was tried.
        var problem: BrokerError?
    }

    /// A message on its way: the request it belongs to and its index there.
    struct InFlight {
        let request: PublishRequest
        let index: Int
    }

    let configuration: BrokerConfiguration
    let maximumInFlight: Int
    let limits: Limits
    let executor = DedicatedThreadExecutor(name: "rabbit-publish")
    nonisolated let mailbox = Mutex(Mailbox())
    nonisolated let bell = Bell()

    var reconnect: Reconnect
    var link: Link?
    var confirms = ConfirmTracker<InFlight>()
    var outbound = OutboundBuffer()
    /// Requests not finished; those before `unsent` are entirely sent.
    var requests: [PublishRequest] = []
    var lastSent = ContinuousClock.now
    var blockedSince: ContinuousClock.Instant?
    /// A basic.return whose content frames are still to come.
    var returning: ReturnedMessage?
    var nodes: NodeOrder
    private var pumping: Task<Void, Never>?

    /// Runs on a thread of its own, since the library blocks and forbids sharing.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Does not connect yet.
    ///
    /// - Parameters:
    ///   - configuration: The broker and virtual host.
    ///   - maximumInFlight: The most messages that may be without an answer at any time.
    ///   - limits: Time-outs and pauses.
    public init(_ configuration: BrokerConfiguration, maximumInFlight: Int = 1000, limits: Limits = Limits()) {
        self.configuration = configuration
        self.maximumInFlight = max(1, maximumInFlight)
        self.limits = limits
        nodes = NodeOrder(configuration.nodes)
        reconnect = Reconnect(
            first: limits.firstReconnectDelaySeconds, longest: limits.longestReconnectDelaySeconds)
    }

    // Not `isolated`: Swift 6.3 then fails to optimise other modules that create the actor ("circular reference").
    // Nobody else has the link any more, so it may be freed on any thread. Without close() the broker sees a lost
    // connection instead of a goodbye.
    deinit {
        pumping?.cancel()
        executor.close()
    }

    /// Publishes messages in order and waits until the broker has answered for each, at most the confirm time-out.
    ///
    /// Cancelling the task does not end the wait: the messages are on their way, and their outcome matters.
    ///
    /// - Parameter messages: Any number; the window limits how many are on their way.
    /// - Returns: One outcome per message, in the same order. Only ``PublishOutcome/confirmed`` means that the broker
    ///   has it. If the broker closes the channel (for example because an exchange does not exist), every message
    ///   without an answer is ``PublishOutcome/unconfirmed(_:)`` with the reason.
    /// - Throws: ``BrokerError`` if no message was sent: no connection, ``BrokerError/blocked``,
    ///   ``BrokerError/headersTooLarge(bytes:)``, ``BrokerError/fieldTooLong(field:bytes:)``, ``BrokerError/closed``.
    public nonisolated func publish(_ messages: [OutgoingMessage]) async throws(BrokerError) -> [PublishOutcome] {
        if messages.isEmpty { return [] }
        for message in messages { try message.checkLimits() }
        let deadline = ContinuousClock.now + .seconds(limits.confirmTimeoutSeconds)
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<[PublishOutcome], BrokerError>, Never>) in
            let request = PublishRequest(messages, deadline: deadline, continuation: continuation)
            let (accepted, start) = mailbox.withLock { mailbox in
                if mailbox.isClosed { return (false, false) }
                mailbox.requests.append(request)
                defer { mailbox.isDriving = true }
                return (true, !mailbox.isDriving)
            }
            if !accepted {
                request.fail(.closed)
            } else if start {
                Task { await self.drive() }
            } else {
                bell.wake()
            }
        }
        return try result.get()
    }

    /// Whether the broker said, on this connection, that it accepts no messages at present.
    public nonisolated var isBlocked: Bool {
        get async { mailbox.withLock { $0.isBlocked } }
    }

    /// Why there is no connection to the broker; nil while there is one and before the first is needed. Renewed by
    /// itself, also while nobody publishes.
    public nonisolated var connectionProblem: BrokerError? { mailbox.withLock { $0.problem } }

    /// Waits for the answers to what is on its way (at most the confirm time-out), then disconnects for good.
    public nonisolated func close() async {
        mailbox.withLock { $0.isClosed = true }
        bell.wake()
        await shutDown()
    }

    private func shutDown() async {
        while mailbox.withLock({ $0.isDriving }) { try? await Task.sleep(for: .milliseconds(5)) }
        pumping?.cancel()
        pumping = nil
        link?.close()
        link = nil
    }

    /// Keeps heartbeats and alarms moving while nobody publishes, and connects anew.
    func startPumping() {
        guard pumping == nil else { return }
        pumping = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                await self?.pump()
            }
        }
    }

    private func pump() {
        guard !Task.isCancelled, mailbox.withLock({ !$0.isDriving && !$0.isClosed }) else { return }
        if link == nil {
            if reconnect.pause(now: .now) == nil { try? openLink() }
            return
        }
        do {
            try service(waitMilliseconds: 0)
        } catch {
            dropLink(error)
        }
    }
}
