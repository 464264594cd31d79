internal import CRabbitMQ
internal import Concurrency

/// Receives messages of one queue over a connection of its own; every delivery is settled by hand.
///
/// The loop that handles deliveries belongs outside of the actor: it takes a batch with ``next(atMost:within:linger:)``
/// and settles it with ``ack(_:)``, ``reject(_:)`` or ``giveBack(_:)``, from any task. While one task waits in
/// ``next(atMost:within:linger:)`` others can settle.
public actor Consumer {
    let configuration: BrokerConfiguration
    let queue: String
    let prefetch: Int
    let executor = DedicatedThreadExecutor(name: "rabbit-consume")
    nonisolated let bell = Bell()

    var link: Link?
    var reconnect: Reconnect
    /// Rises with every connection, so that tags of an earlier one are recognised.
    var session: UInt64 = 0
    var settlements = SettlementPlanner()
    var isSubscribed = false
    var isClosed = false
    /// Rises with every ``cancel()``, to end a wait that is going on.
    var cancellations = 0
    /// Received and not yet taken.
    var ready: [Delivery] = []
    var assembly = DeliveryAssembly()
    /// What broke the connection while nobody was waiting; the next ``next(atMost:within:linger:)`` throws it.
    var pendingError: BrokerError?
    var nodes: NodeOrder
    private var pumping: Task<Void, Never>?

    /// Runs on a thread of its own, since the library blocks and forbids sharing.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Does not connect yet.
    ///
    /// - Parameters:
    ///   - configuration: The broker and virtual host.
    ///   - queue: The queue; it must exist when the first delivery is asked for.
    ///   - prefetch: The most deliveries that are unsettled at any time, 1 to 65,535.
    public init(_ configuration: BrokerConfiguration, queue: String, prefetch: Int) {
        self.configuration = configuration
        self.queue = queue
        nodes = NodeOrder(configuration.nodes)
        self.prefetch = min(max(1, prefetch), 65_535)
        reconnect = Reconnect(first: 0.2, longest: 10)
    }

    // Not `isolated`: Swift 6.3 then fails to optimise other modules that create the actor ("circular reference").
    // Nobody else has the link any more, so it may be freed on any thread. Without close() the broker sees a lost
    // connection instead of a goodbye.
    deinit {
        pumping?.cancel()
        executor.close()
    }

    /// The next deliveries; connects and subscribes first if necessary (after a pause if that failed before).
    ///
    /// - Parameters:
    ///   - atMost: The most deliveries to return.
    ///   - within: How long to wait for the first one.
    ///   - linger: How long to wait for more after the first one.
    /// - Returns: Up to `atMost` deliveries in the order of the queue; none if nothing came in time, or when
    ///   ``cancel()`` was called or the task was cancelled meanwhile (seen within a second).
    /// - Throws: ``BrokerError``. ``BrokerError/connectionLost(step:detail:)`` and
    ///   ``BrokerError/consumerCancelled(queue:)`` come once; the next call connects or subscribes again. After a lost
    ///   connection the tags of all earlier deliveries are void.
    public nonisolated func next(
        atMost: Int, within: Duration, linger: Duration = .zero
    ) async throws(BrokerError) -> [Delivery] {
        let start = ContinuousClock.now
        return try await take(max(1, atMost), until: start + within, linger: linger)
    }

    /// Tells the broker that deliveries are done. Those that are a prefix of what is unsettled take one command.
    ///
    /// Deliveries that are settled already are left out.
    /// - Throws: ``BrokerError/staleTag`` if a tag belongs to an earlier connection, after the others were settled;
    ///   ``BrokerError/connectionLost(step:detail:)``. In both cases the broker delivers the message again.
    public nonisolated func ack(_ tags: [DeliveryTag]) async throws(BrokerError) {
        bell.ring()
        try await settle(tags, .ack)
    }

    /// Refuses a delivery for good; the broker dead-letters it if the queue says so.
    ///
    /// - Throws: As ``ack(_:)``.
    public nonisolated func reject(_ tag: DeliveryTag) async throws(BrokerError) {
        bell.ring()
        try await settle([tag], .reject)
    }

    /// Returns deliveries to the queue; each return counts against the delivery limit of a quorum queue.
    ///
    /// - Throws: As ``ack(_:)``.
    public nonisolated func giveBack(_ tags: [DeliveryTag]) async throws(BrokerError) {
        bell.ring()
        try await settle(tags, .giveBack)
    }

    /// Stops the deliveries and gives back those nobody has taken. Deliveries in hand can still be settled.
    ///
    /// A wait in ``next(atMost:within:linger:)`` ends with what it has. The next call of it subscribes again.
    public nonisolated func cancel() async {
        bell.ring()
        await unsubscribe()
    }

    /// Disconnects for good; the broker returns everything unsettled to the queue.
    public nonisolated func close() async {
        bell.ring()
        await shutDown()
    }

    private func shutDown() {
        bell.answered()
        isClosed = true
        pumping?.cancel()
        pumping = nil
        link?.close()
        dropLink()
    }

    /// Keeps heartbeats moving while nobody waits for deliveries.
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
        guard link != nil else { return }
        do {
            try receive(reading: true, .idle, limit: .max)
        } catch {
            if pendingError == nil { pendingError = error }
        }
    }
}
