internal import CRabbitMQ
internal import Concurrency

/// Declares, checks and deletes exchanges, queues and bindings, over a connection of its own.
///
/// Every operation connects if necessary. A refusal of the broker (403, 404, 406...) is thrown as
/// ``BrokerError/refused(code:text:step:)`` and the session can go on; after a lost connection the next operation
/// connects again.
public actor TopologySession {
    /// How an exchange routes.
    public enum ExchangeKind: String, Sendable {
        /// By the exact key, by no key, by a pattern over the key, or by the headers.
        case direct, fanout, topic, headers
    }

    /// What a queue holds at the moment of asking.
    public struct QueueCounts: Sendable, Equatable {
        /// Messages ready for delivery; those delivered and unsettled are not among them.
        public let messages: Int
        /// Subscriptions.
        public let consumers: Int

        /// Counts to compare with.
        public init(messages: Int, consumers: Int) {
            self.messages = messages
            self.consumers = consumers
        }
    }

    private let configuration: BrokerConfiguration
    private let executor = DedicatedThreadExecutor(name: "rabbit-topology")
    private var link: Link?
    private var isClosed = false
    private var nodes: NodeOrder
    private var pumping: Task<Void, Never>?

    /// Runs on a thread of its own, since the library blocks and forbids sharing.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Does not connect yet.
    public init(_ configuration: BrokerConfiguration) {
        self.configuration = configuration
        nodes = NodeOrder(configuration.nodes)
    }

    // Not `isolated`: Swift 6.3 then fails to optimise other modules that create the actor ("circular reference").
    // Nobody else has the link any more, so it may be freed on any thread. Without close() the broker sees a lost
    // connection instead of a goodbye.
    deinit {
        pumping?.cancel()
        executor.close()
    }

    /// Connects and logs in, if that has not happened yet. Every other operation does it by itself.
    public func connect() throws(BrokerError) { _ = try connected() }

    /// Declares an exchange; one that exists with the same settings is left as it is, with others it is a 406.
    public func declareExchange(
        _ name: String, kind: ExchangeKind, durable: Bool = true, internal isInternal: Bool = false,
        arguments: [String: HeaderValue] = [:]
    ) throws(BrokerError) {
        try call(.declareExchange, names: [name], arguments) { link, arguments in
            amqp_exchange_declare(
                link.state, link.channel, link.arena.bytes(name), link.arena.bytes(kind.rawValue), 0,
                durable ? 1 : 0, 0, isInternal ? 1 : 0, arguments)
        }
    }

    /// Whether the exchange exists: throws a 404 if not.
    public func checkExchange(_ name: String) throws(BrokerError) {
        try call(.checkExchange, names: [name]) { link, none in
            amqp_exchange_declare(
                link.state, link.channel, link.arena.bytes(name), link.arena.bytes(""), 1, 0, 0, 0, none)
        }
    }

    /// Deletes an exchange and its bindings; one that does not exist is fine.
    public func deleteExchange(_ name: String, ifUnused: Bool = false) throws(BrokerError) {
        try call(.deleteExchange, names: [name]) { link, _ in
            amqp_exchange_delete(link.state, link.channel, link.arena.bytes(name), ifUnused ? 1 : 0)
        }
    }

    /// Declares a queue; one that exists with the same settings is left as it is, with others it is a 406.
    ///
    /// - Parameter arguments: For example `x-queue-type: quorum`, `x-delivery-limit`, `x-dead-letter-exchange`.
    /// - Returns: What it holds.
    @discardableResult
    public func declareQueue(
        _ name: String, durable: Bool = true, exclusive: Bool = false, autoDelete: Bool = false,
        arguments: [String: HeaderValue] = [:]
    ) throws(BrokerError) -> QueueCounts {
        let answer = try call(.declareQueue, names: [name], arguments) { link, arguments in
            amqp_queue_declare(
                link.state, link.channel, link.arena.bytes(name), 0, durable ? 1 : 0, exclusive ? 1 : 0,
                autoDelete ? 1 : 0, arguments)
        }
        return QueueCounts(answer)
    }

    /// What an existing queue holds; throws a 404 if there is none.
    public func checkQueue(_ name: String) throws(BrokerError) -> QueueCounts {
        let answer = try call(.checkQueue, names: [name]) { link, none in
            amqp_queue_declare(link.state, link.channel, link.arena.bytes(name), 1, 0, 0, 0, none)
        }
        return QueueCounts(answer)
    }

    /// Deletes a queue with what it holds; one that does not exist is fine.
    ///
    /// - Returns: How many messages went with it.
    @discardableResult
    public func deleteQueue(
        _ name: String, ifUnused: Bool = false, ifEmpty: Bool = false
    ) throws(BrokerError) -> Int {
        let answer = try call(.deleteQueue, names: [name]) { link, _ in
            amqp_queue_delete(
                link.state, link.channel, link.arena.bytes(name), ifUnused ? 1 : 0, ifEmpty ? 1 : 0)
        }
        return Int(answer?.message_count ?? 0)
    }

    /// Removes every message that is ready for delivery.
    ///
    /// - Returns: How many there were.
    @discardableResult
    public func purgeQueue(_ name: String) throws(BrokerError) -> Int {
        let answer = try call(.purgeQueue, names: [name]) { link, _ in
            amqp_queue_purge(link.state, link.channel, link.arena.bytes(name))
        }
        return Int(answer?.message_count ?? 0)
    }

    /// Routes from an exchange into a queue; the same binding twice is one.
    public func bindQueue(
        _ queue: String, exchange: String, routingKey: String = "", arguments: [String: HeaderValue] = [:]
    ) throws(BrokerError) {
        try call(.bindQueue, names: [queue, exchange, routingKey], arguments) { link, arguments in
            amqp_queue_bind(
                link.state, link.channel, link.arena.bytes(queue), link.arena.bytes(exchange),
                link.arena.bytes(routingKey), arguments)
        }
    }

    /// Ends a binding; one that does not exist is fine.
    public func unbindQueue(
        _ queue: String, exchange: String, routingKey: String = "", arguments: [String: HeaderValue] = [:]
    ) throws(BrokerError) {
        try call(.unbindQueue, names: [queue, exchange, routingKey], arguments) { link, arguments in
            amqp_queue_unbind(
                link.state, link.channel, link.arena.bytes(queue), link.arena.bytes(exchange),
                link.arena.bytes(routingKey), arguments)
        }
    }

    /// Routes from one exchange into another.
    public func bindExchange(
        _ destination: String, source: String, routingKey: String = "", arguments: [String: HeaderValue] = [:]
    ) throws(BrokerError) {
        try call(.bindExchange, names: [destination, source, routingKey], arguments) { link, arguments in
            amqp_exchange_bind(
                link.state, link.channel, link.arena.bytes(destination), link.arena.bytes(source),
                link.arena.bytes(routingKey), arguments)
        }
    }

    /// Disconnects for good.
    public func close() {
        isClosed = true
        pumping?.cancel()
        link?.close()
        link = nil
    }

    // MARK: Connection

    @discardableResult
    private func call<R>(
        _ step: BrokerError.Step, names: [String], _ arguments: [String: HeaderValue] = [:],
        _ body: (Link, amqp_table_t) -> UnsafeMutablePointer<R>?
    ) throws(BrokerError) -> R? {
        for name in names where name.utf8.count > 255 {
            throw .fieldTooLong(field: "name", bytes: name.utf8.count)
        }
        let bytes = HeaderSize.bytes(of: arguments)
        guard bytes <= HeaderSize.limit else { throw .headersTooLarge(bytes: bytes) }
        try HeaderSize.checkNames(arguments)
        let link = try connected()
        defer { link.arena.reset() }
        do {
            return try link.call(step) { body(link, link.arena.table(arguments)) }
        } catch {
            // Refused: the link has opened its channel again. Anything else, or a failure of that: gone.
            if link.isBroken { lose(link) }
            throw error
        }
    }

    private func connected() throws(BrokerError) -> Link {
        if isClosed { throw .closed }
        if let link { return link }
        let new = try nodes.connect(configuration, purpose: "topology")
        link = new
        startPumping()
        return new
    }

    private func startPumping() {
        guard pumping == nil else { return }
        pumping = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                await self?.pump()
            }
        }
    }

    private func pump() {
        guard let link else { return }
        do {
            try link.drain(reading: true, .idle) { _, _ throws(BrokerError) in true }
        } catch {
            lose(link)
        }
    }

    private func lose(_ link: Link) {
        nodes.failed(link.node, at: .now)
        self.link = nil
    }
}

extension TopologySession.QueueCounts {
    init(_ answer: amqp_queue_declare_ok_t?) {
        self.init(messages: Int(answer?.message_count ?? 0), consumers: Int(answer?.consumer_count ?? 0))
    }
}
