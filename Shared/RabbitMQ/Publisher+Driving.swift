internal import CRabbitMQ
internal import Synchronization

/// A basic.return, and as much of its content as identifies the message.
struct ReturnedMessage {
    let code: Int
    let text: String
    let exchange: String
    let routingKey: String
    var messageID: String?
    var bodySize = 0
    var received = 0

    func matches(_ message: OutgoingMessage) -> Bool {
        message.mandatory && message.body.count == bodySize && message.routingKey == routingKey
            && message.exchange == exchange && message.properties.messageID == messageID
    }
}

extension Publisher {
    /// Works until nothing is left to send and every answer is in. Only one runs at a time.
    func drive() async {
        while true {
            let (arrived, closed, finished) = mailbox.withLock { mailbox in
                defer { mailbox.requests.removeAll() }
                let finished = mailbox.requests.isEmpty && requests.isEmpty
                if finished { mailbox.isDriving = false }
                return (mailbox.requests, mailbox.isClosed, finished)
            }
            if finished { return }
            requests.append(contentsOf: arrived)
            if link == nil {
                await connect(closed: closed)
                continue
            }
            do {
                try turn()
            } catch {
                dropLink(error)
            }
        }
    }

    private func connect(closed: Bool) async {
        if closed { return failRequests(.closed) }
        let now = ContinuousClock.now
        if let pause = reconnect.pause(now: now) {
            expire(now)
            // In short pieces, so that closing the publisher does not wait for the end of the pause.
            try? await Task.sleep(for: min(pause, .milliseconds(100)))
            return
        }
        do {
            try openLink()
        } catch {
            failRequests(error)
        }
    }

    /// Connects, and notes why not.
    func openLink() throws(BrokerError) {
        startPumping()
        do {
            let link = try nodes.connect(configuration, purpose: "publisher") { link throws(BrokerError) in
                try link.call(.openChannel) { amqp_confirm_select(link.state, link.channel) }
            }
            link.takeOverHeartbeats(tls: configuration.tls != nil)
            reconnect.succeeded()
            lastSent = .now
            self.link = link
            mailbox.withLock { $0.problem = nil }
        } catch {
            reconnect.failed(now: .now)
            mailbox.withLock { $0.problem = error }
            throw error
        }
    }

    private func failRequests(_ error: BrokerError) {
        for request in requests { request.fail(error) }
        requests.removeAll()
    }

    /// One round: send what the window allows, then handle the answers, waiting for them if there is nothing else.
    private func turn() throws(BrokerError) {
        if blockedSince != nil { try service(waitMilliseconds: 0) }
        let now = ContinuousClock.now
        expire(now)
        if requests.isEmpty { return }
        try fill()
        try service(waitMilliseconds: waitMilliseconds(now))
        requests.removeAll { $0.isFinished }
    }

    private func waitMilliseconds(_ now: ContinuousClock.Instant) -> Int {
        var until = now + .seconds(1)
        for request in requests { until = min(until, request.deadline) }
        if let blockedSince { until = min(until, blockedSince + .seconds(limits.blockedWaitSeconds)) }
        let wait = now.duration(to: until)
        return max(1, Int(wait.components.seconds * 1000 + wait.components.attoseconds / 1_000_000_000_000_000))
    }

    /// Encodes messages until the window or the buffer is full.
    private func fill() throws(BrokerError) {
        guard let link, !link.isBlocked else { return }
        // Refilling one freed place at a time would cost a system call per message.
        let free = maximumInFlight - confirms.count
        guard free >= max(1, maximumInFlight / 16) || confirms.isEmpty else { return }
        for request in requests where !request.isEntirelySent {
            while !request.isEntirelySent, confirms.count < maximumInFlight, outbound.count < 512 * 1024 {
                let index = request.next
                request.next += 1
                confirms.append(InFlight(request: request, index: index))
                try put(request.messages[index], link)
            }
            if !request.isEntirelySent { return }
        }
    }

    private func put(_ message: OutgoingMessage, _ link: Link) throws(BrokerError) {
        defer { link.arena.reset() }
        if link.ownsHeartbeats {
            let done = outbound.append(
                message, arena: link.arena, frameMax: link.frameMax, channel: link.channel)
            guard done else { throw .connectionLost(step: .publish, detail: "a message could not be encoded") }
            return
        }
        // Over TLS only the library can write. It may block, which the watchdog ends.
        var properties = link.arena.properties(message.properties)
        let status = link.watchdog.guarding(link.limit) {
            message.body.withUnsafeBytes { body in
                amqp_basic_publish(
                    link.state, link.channel, link.arena.bytes(message.exchange),
                    link.arena.bytes(message.routingKey), message.mandatory ? 1 : 0, 0, &properties,
                    amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress)))
            }
        }
        try link.check(status, .publish)
    }

    /// Sends what is encoded, reads what has arrived, keeps the heartbeats. Waits at most the given time.
    func service(waitMilliseconds: Int) throws(BrokerError) {
        guard let link else { return }
        if link.ownsHeartbeats { try keepHeartbeats(link) }
        if !outbound.isEmpty {
            let sent = try link.send(outbound.pending)
            outbound.sent(sent)
            if sent > 0 { lastSent = .now }
        }
        // The library may have read answers while it published; the socket would not tell of those.
        let wait = link.hasBuffered ? 0 : waitMilliseconds
        let ready = link.wait(forWriting: !outbound.isEmpty, bell: bell, milliseconds: wait)
        // The library's own heartbeats need a read even when nothing has arrived.
        let reading = ready.contains(.readable) || !link.ownsHeartbeats
        let step: BrokerError.Step = confirms.isEmpty ? .idle : .confirm
        try link.drain(reading: reading, step) { kind, frame throws(BrokerError) in
            handle(kind, frame)
            return true
        }
        noteBlocked(link.isBlocked)
    }

    private func keepHeartbeats(_ link: Link) throws(BrokerError) {
        guard link.heartbeatSeconds > 0 else { return }
        let now = ContinuousClock.now
        if outbound.isEmpty && lastSent.duration(to: now) >= .seconds(link.heartbeatSeconds) / 2 {
            outbound.appendHeartbeat()
        }
        let silence = link.lastReceived.duration(to: now)
        if silence > .seconds(2 * link.heartbeatSeconds) {
            // Something may have arrived since the last look; only a silent socket is a dead one.
            if link.wait(forWriting: false, bell: bell, milliseconds: 0).contains(.readable) { return }
            throw .connectionLost(
                step: confirms.isEmpty ? .idle : .confirm, detail: "nothing received for two heartbeats")
        }
    }

    private func noteBlocked(_ blocked: Bool) {
        if !blocked {
            blockedSince = nil
        } else if blockedSince == nil {
            blockedSince = .now
        }
        mailbox.withLock { $0.isBlocked = blocked }
    }

    private func handle(_ kind: crabbitmq_frame_kind, _ frame: amqp_frame_t) {
        var frame = frame
        switch kind {
        case CRABBITMQ_FRAME_ACK:
            let ack = crabbitmq_method(&frame).assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            confirms.settle(ack.delivery_tag, multiple: ack.multiple != 0) { $0.request.settle($0.index, .confirmed) }
        case CRABBITMQ_FRAME_NACK:
            let nack = crabbitmq_method(&frame).assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            confirms.settle(nack.delivery_tag, multiple: nack.multiple != 0) { $0.request.settle($0.index, .nacked) }
        case CRABBITMQ_FRAME_RETURN:
            let method = crabbitmq_method(&frame).assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            returning = ReturnedMessage(
                code: Int(method.reply_code), text: String(method.reply_text), exchange: String(method.exchange),
                routingKey: String(method.routing_key))
        case CRABBITMQ_FRAME_HEADER:
            let properties = crabbitmq_properties(&frame).pointee
            returning?.bodySize = Int(clamping: crabbitmq_body_size(&frame))
            if properties._flags & (1 << 7) != 0 { returning?.messageID = String(properties.message_id) }
            finishReturn()
        case CRABBITMQ_FRAME_BODY:
            returning?.received += crabbitmq_fragment(&frame).len
            finishReturn()
        default: break
        }
    }

    /// A return carries no sequence number. The broker works in order, so it belongs to the oldest unanswered message
    /// of the same exchange, key, id and size that was not returned yet; if several are alike, they are equals.
    private func finishReturn() {
        guard let message = returning, message.received >= message.bodySize else { return }
        returning = nil
        let match = confirms.first { inFlight in
            !inFlight.request.isReturned(inFlight.index) && message.matches(inFlight.request.messages[inFlight.index])
        }
        match?.request.markReturned(match?.index ?? 0, code: message.code, text: message.text)
    }

    /// Ends requests whose time is up.
    private func expire(_ now: ContinuousClock.Instant) {
        if let blockedSince, blockedSince + .seconds(limits.blockedWaitSeconds) <= now {
            // The broker reads nothing until the alarm is over; what it had read it has confirmed by now.
            for request in requests { request.fail(.blocked) }
        }
        let late = requests.filter { $0.deadline <= now && !$0.isFinished }
        let alarm = blockedSince != nil
        for request in late { request.fail(alarm ? .blocked : .timedOut(step: .confirm)) }
        requests.removeAll { $0.isFinished }
        // A broker that answers nothing and reports no alarm is not trusted with the next message.
        if !late.isEmpty && !alarm && link != nil { dropLink(.timedOut(step: .confirm)) }
    }

    /// Gives the connection up. What was sent is unconfirmed; requests not begun wait for the next connection.
    func dropLink(_ error: BrokerError) {
        for request in requests where request.next > 0 { request.fail(error) }
        requests.removeAll { $0.isFinished }
        confirms = ConfirmTracker()
        outbound.removeAll()
        returning = nil
        if let link { nodes.failed(link.node, at: .now) }
        link?.close()
        link = nil
        noteBlocked(false)
        mailbox.withLock { $0.problem = error }
    }
}
