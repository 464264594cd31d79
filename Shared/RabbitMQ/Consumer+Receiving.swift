internal import CRabbitMQ

/// Puts a delivery together from its frames: basic.deliver, header, and as many bodies as it takes.
struct DeliveryAssembly {
    private var number: UInt64 = 0
    private var redelivered = false
    private var exchange = ""
    private var routingKey = ""
    private var properties = MessageProperties()
    private var expected = 0
    private var body: [UInt8] = []
    private var isOpen = false

    mutating func begin(_ method: amqp_basic_deliver_t) {
        number = method.delivery_tag
        redelivered = method.redelivered != 0
        // Most deliveries repeat the names of the one before: comparing is cheaper than building.
        if !exchange.utf8.elementsEqual(method.exchange.buffer) { exchange = String(method.exchange) }
        if !routingKey.utf8.elementsEqual(method.routing_key.buffer) { routingKey = String(method.routing_key) }
        isOpen = true
    }

    /// Returns the delivery if it has no body.
    mutating func header(_ frame: inout amqp_frame_t, session: UInt64) -> Delivery? {
        guard isOpen else { return nil }
        properties = MessageProperties(copying: crabbitmq_properties(&frame).pointee)
        expected = Int(clamping: crabbitmq_body_size(&frame))
        body = []
        return expected == 0 ? finish(session) : nil
    }

    /// Returns the delivery if this was the last part of its body.
    mutating func fragment(_ bytes: amqp_bytes_t, session: UInt64) -> Delivery? {
        guard isOpen else { return nil }
        if body.isEmpty && bytes.len == expected {
            body = [UInt8](bytes.buffer)
        } else {
            if body.isEmpty { body.reserveCapacity(expected) }
            body.append(contentsOf: bytes.buffer)
        }
        return body.count >= expected ? finish(session) : nil
    }

    private mutating func finish(_ session: UInt64) -> Delivery {
        isOpen = false
        defer { body = [] }
        return Delivery(
            tag: DeliveryTag(session: session, number: number), redelivered: redelivered, exchange: exchange,
            routingKey: routingKey, properties: properties, body: body)
    }
}

/// How deliveries are settled.
enum Settlement {
    case ack, reject, giveBack
}

extension Consumer {
    func take(_ atMost: Int, until end: ContinuousClock.Instant, linger: Duration) async throws(BrokerError)
        -> [Delivery]
    {
        let cancellationsBefore = cancellations
        guard try await subscribe(until: end) else { return [] }
        var until = ready.isEmpty ? end : min(end, .now + linger)
        var reading = false
        while ready.count < atMost {
            // Every path through the loop gives way to a job that wants the thread, settling above all.
            while bell.isRung { await Task.yield() }
            try throwPendingError()
            guard let link, isSubscribed, cancellations == cancellationsBefore, !Task.isCancelled else { break }
            let wasEmpty = ready.isEmpty
            do {
                try receive(reading: reading, .consume, limit: atMost)
            } catch {
                pendingError = error
                continue
            }
            if ready.count >= atMost { break }
            if wasEmpty && !ready.isEmpty { until = min(end, .now + linger) }
            let left = ContinuousClock.now.duration(to: until)
            // A second at most, so that the library sees to its heartbeats.
            let wait = min(left, .seconds(1))
            let event = link.wait(forWriting: false, bell: bell, milliseconds: max(0, wait.roundedUpMilliseconds))
            if left <= .zero && !event.contains(.readable) { break }
            reading = true
        }
        if isClosed { throw .closed }
        defer { ready.removeFirst(min(atMost, ready.count)) }
        return Array(ready.prefix(atMost))
    }

    /// An error found since is thrown once, after what was received before it was dropped with its connection.
    private func throwPendingError() throws(BrokerError) {
        guard let error = pendingError else { return }
        pendingError = nil
        if case .consumerCancelled = error {
            // The connection works and its tags are valid; only the subscription is gone.
            isSubscribed = false
        } else {
            dropLink()
        }
        throw error
    }

    func dropLink() {
        if let link { nodes.failed(link.node, at: .now) }
        link = nil
        isSubscribed = false
        ready.removeAll()
        assembly = DeliveryAssembly()
    }

    /// Returns false if the time ran out during the pause before another attempt.
    private func subscribe(until end: ContinuousClock.Instant) async throws(BrokerError) -> Bool {
        while true {
            if isClosed { throw .closed }
            try throwPendingError()
            if isSubscribed { return true }
            guard let pause = reconnect.pause(now: .now) else { break }
            let left = ContinuousClock.now.duration(to: end)
            if left <= .zero { return false }
            try? await Task.sleep(for: min(pause, left, .milliseconds(100)))
            if Task.isCancelled { return false }
        }
        do {
            let link = try connected()
            try link.call(.consume) {
                amqp_basic_consume(
                    link.state, link.channel, link.arena.bytes(queue), link.arena.bytes("consumer"), 0, 0, 0,
                    link.arena.table([:]))
            }
            link.arena.reset()
            isSubscribed = true
            reconnect.succeeded()
            return true
        } catch {
            // A refusal closes the channel, and with it every tag: start over with a new connection.
            link?.close()
            dropLink()
            reconnect.failed(now: .now)
            throw error
        }
    }

    private func connected() throws(BrokerError) -> Link {
        if let link { return link }
        let limit = UInt16(clamping: prefetch)
        let new = try nodes.connect(configuration, purpose: "consumer \(queue)") { link throws(BrokerError) in
            try link.call(.openChannel) { amqp_basic_qos(link.state, link.channel, 0, limit, 0) }
        }
        link = new
        session += 1
        settlements = SettlementPlanner()
        startPumping()
        return new
    }

    /// Reads what has arrived, up to `limit` deliveries in hand; never waits.
    func receive(reading: Bool, _ step: BrokerError.Step, limit: Int) throws(BrokerError) {
        guard let link else { return }
        try link.drain(reading: reading, step) { kind, frame throws(BrokerError) in
            var frame = frame
            switch kind {
            case CRABBITMQ_FRAME_DELIVER:
                assembly.begin(crabbitmq_method(&frame).assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee)
            case CRABBITMQ_FRAME_HEADER:
                if let delivery = assembly.header(&frame, session: session) { accept(delivery) }
            case CRABBITMQ_FRAME_BODY:
                if let delivery = assembly.fragment(crabbitmq_fragment(&frame), session: session) { accept(delivery) }
            case CRABBITMQ_FRAME_CANCEL:
                throw .consumerCancelled(queue: queue)
            default: break
            }
            return ready.count < limit
        }
    }

    private func accept(_ delivery: Delivery) {
        settlements.delivered(delivery.tag.number)
        ready.append(delivery)
    }

    // MARK: Settling

    func settle(_ tags: [DeliveryTag], _ how: Settlement) throws(BrokerError) {
        bell.answered()
        if isClosed { throw .closed }
        let current = tags.filter { $0.session == session }
        if !current.isEmpty {
            guard let link, pendingError.map(\.endsConnection) != true else { throw .staleTag }
            do {
                try send(how, current.map(\.number), link)
            } catch {
                pendingError = error
                throw error
            }
        }
        if current.count < tags.count { throw .staleTag }
    }

    private func send(_ how: Settlement, _ numbers: [UInt64], _ link: Link) throws(BrokerError) {
        for command in settlements.settle(numbers) {
            let multiple: amqp_boolean_t = command.multiple ? 1 : 0
            let status = link.watchdog.guarding(link.limit) {
                switch how {
                case .ack: amqp_basic_ack(link.state, link.channel, command.number, multiple)
                // basic.reject knows no multiple; nack without requeue is the same otherwise.
                case .reject: amqp_basic_nack(link.state, link.channel, command.number, multiple, 0)
                case .giveBack: amqp_basic_nack(link.state, link.channel, command.number, multiple, 1)
                }
            }
            try link.check(status, .settle)
        }
    }

    func unsubscribe() {
        bell.answered()
        cancellations += 1
        guard let link, isSubscribed, pendingError == nil else { return }
        isSubscribed = false
        do {
            try link.call(.cancel) { amqp_basic_cancel(link.state, link.channel, link.arena.bytes("consumer")) }
            // Deliveries that crossed the cancel are in the library's queue.
            try receive(reading: false, .cancel, limit: .max)
            try send(.giveBack, ready.map(\.tag.number), link)
            ready.removeAll()
        } catch {
            pendingError = error
        }
    }
}

extension BrokerError {
    /// Whether the connection and all its tags are gone.
    var endsConnection: Bool {
        if case .consumerCancelled = self { false } else { true }
    }
}

extension Duration {
    /// For a poll: never less than what is left, or a short rest would be spent in a busy loop.
    var roundedUpMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
