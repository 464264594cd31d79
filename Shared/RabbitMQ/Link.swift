internal import CRabbitMQ

/// One connection with one open channel. Not thread-safe: only its actor touches it, on the actor's own thread.
///
/// One channel a connection, since waiting on one channel of librabbitmq can drop frames queued for another.
final class Link {
    let node: BrokerAddress
    let state: amqp_connection_state_t
    let watchdog: Watchdog
    let arena = Arena()
    let limit: Duration
    /// Whether ``heartbeatSeconds`` are ours to keep (see ``takeOverHeartbeats()``) or the library's.
    private(set) var ownsHeartbeats = false
    private(set) var heartbeatSeconds: Int
    private(set) var lastReceived = ContinuousClock.now
    private(set) var isBlocked = false
    /// Whether the connection can no longer be used.
    private(set) var isBroken = false
    let channel: amqp_channel_t = 1

    var frameMax: Int { Int(amqp_get_frame_max(state)) }

    /// Connects, logs in and opens the channel; every step is bounded by the configuration's time-out.
    init(_ configuration: BrokerConfiguration, at node: BrokerAddress, purpose: String) throws(BrokerError) {
        self.node = node
        limit = .seconds(configuration.connectTimeoutSeconds)
        heartbeatSeconds = configuration.heartbeatSeconds
        let unreachable = { (detail: String) -> BrokerError in
            .unreachable(host: node.host, port: node.port, detail: detail)
        }
        guard let state = amqp_new_connection() else { throw unreachable("out of memory") }
        let socket: Int32
        do {
            socket = try Link.openSocket(state, configuration, node)
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        self.state = state
        watchdog = Watchdog(socket: socket)
        // Twice the heartbeat, like the broker's own patience with a silent client.
        let userTimeout = UInt32(clamping: 2000 * configuration.heartbeatSeconds)
        guard watchdog.descriptor >= 0, crabbitmq_prepare_socket(socket, userTimeout) == 0 else {
            throw unreachable("the socket rejects its options")
        }
        try login(configuration, purpose: purpose)
        try openChannel()
    }

    deinit { amqp_destroy_connection(state) }

    private static func openSocket(
        _ state: amqp_connection_state_t, _ configuration: BrokerConfiguration, _ node: BrokerAddress
    ) throws(BrokerError) -> Int32 {
        let unreachable = { (detail: String) -> BrokerError in
            .unreachable(host: node.host, port: node.port, detail: detail)
        }
        var timeout = timeval(tv_sec: configuration.connectTimeoutSeconds, tv_usec: 0)
        amqp_set_handshake_timeout(state, &timeout)
        amqp_set_rpc_timeout(state, &timeout)
        let created = configuration.tls == nil ? amqp_tcp_socket_new(state) : amqp_ssl_socket_new(state)
        guard let socket = created else { throw unreachable("out of memory") }
        if let tls = configuration.tls {
            if let detail = prepare(socket, tls) { throw unreachable(detail) }
            crabbitmq_note_tls_failures(socket)
        }
        timeout.tv_sec = configuration.dialSeconds
        let status = amqp_socket_open_noblock(socket, node.host, Int32(node.port), &timeout)
        guard status == AMQP_STATUS_OK.rawValue else {
            throw unreachable(
                ConnectionAdvice.detail(
                    status: status, certificate: crabbitmq_certificate_problem().map { String(cString: $0) },
                    handshake: crabbitmq_handshake_problem().map { String(cString: $0) }, host: node.host,
                    tls: configuration.tls))
        }
        return amqp_get_sockfd(state)
    }

    /// Nothing is left to the library's defaults. Returns what was wrong, or nil.
    private static func prepare(_ socket: OpaquePointer, _ tls: BrokerTLS) -> String? {
        amqp_ssl_socket_set_verify_peer(socket, tls.verify ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, tls.verify ? 1 : 0)
        let ok = AMQP_STATUS_OK.rawValue
        guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == ok else {
            return "TLS 1.2 is not available"
        }
        guard amqp_ssl_socket_set_cacert(socket, tls.caFile) == ok else {
            return "the CA file \(tls.caFile) cannot be read: correct its path or mode, it has to hold PEM certificates"
        }
        if let own = tls.clientCertificate {
            guard amqp_ssl_socket_set_key(socket, own.certificateFile, own.keyFile) == ok else {
                return "the client certificate \(own.certificateFile) or its key cannot be read"
            }
        }
        return nil
    }

    private func login(_ configuration: BrokerConfiguration, purpose: String) throws(BrokerError) {
        defer { arena.reset() }
        // Without these the broker stays silent about a deleted queue and about its alarms.
        var properties = arena.table([
            "capabilities": .table([
                "consumer_cancel_notify": true, "connection.blocked": true, "basic.nack": true,
                "publisher_confirms": true, "authentication_failure_close": true,
            ]),
            "connection_name": .string("\(configuration.connectionName) \(purpose)"),
        ])
        let reply = watchdog.guarding(limit * 2) {
            crabbitmq_login(
                state, configuration.virtualHost, Int32(AMQP_DEFAULT_FRAME_SIZE),
                Int32(configuration.heartbeatSeconds), &properties, configuration.user, configuration.presentPassword)
        }
        heartbeatSeconds = Int(amqp_get_heartbeat(state))
        lastReceived = .now
        let refusal = crabbitmq_refusal_of(reply)
        if refusal.code == 403 {
            isBroken = true
            throw .authenticationFailed(host: node.host, user: configuration.user)
        }
        do {
            try check(reply, .login)
        } catch .connectionLost(let step, let detail) {
            throw .connectionLost(step: step, detail: ConnectionAdvice.brokenLogin(detail, tls: configuration.tls))
        }
    }

    private func openChannel() throws(BrokerError) {
        try call(.openChannel) { amqp_channel_open(state, channel) }
    }

    // MARK: Requests and answers

    /// Runs one request of the library and checks its answer. A refusal closes the channel, which is opened again.
    @discardableResult
    func call<R>(_ step: BrokerError.Step, _ body: () -> UnsafeMutablePointer<R>?) throws(BrokerError) -> R? {
        let answer = watchdog.guarding(limit * 2) { body()?.pointee }
        try check(amqp_get_rpc_reply(state), step)
        return answer
    }

    func check(_ reply: amqp_rpc_reply_t, _ step: BrokerError.Step) throws(BrokerError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            let refusal = crabbitmq_refusal_of(reply)
            let error = BrokerError.refused(code: Int(refusal.code), text: String(refusal.text), step: step)
            if refusal.closes_connection || refusal.code == 0 {
                isBroken = true
                _ = watchdog.guarding(.seconds(1)) { crabbitmq_send_close_ok(state, 0) }
                throw refusal.code == 320 || refusal.code == 0
                    ? .connectionLost(step: step, detail: "\(refusal.code) \(String(refusal.text))") : error
            }
            try check(watchdog.guarding(limit) { crabbitmq_send_close_ok(state, channel) }, step)
            // A second refusal here would have to come from amqp_channel_open itself.
            if step != .openChannel { try openChannel() } else { isBroken = true }
            throw error
        default:
            isBroken = true
            let status = reply.library_error
            if status == AMQP_STATUS_TIMEOUT.rawValue { throw .timedOut(step: step) }
            throw .connectionLost(step: step, detail: Link.statusText(status))
        }
    }

    /// Checks the status of a call that waits for no answer.
    func check(_ status: Int32, _ step: BrokerError.Step) throws(BrokerError) {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        isBroken = true
        throw .connectionLost(step: step, detail: Link.statusText(status))
    }

    static func statusText(_ status: Int32) -> String {
        amqp_error_string2(status).map { String(cString: $0) } ?? "status \(status)"
    }

    // MARK: Frames

    /// Whether the library has read something that nobody has handled.
    var hasBuffered: Bool { amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0 }

    /// Hands every frame that has arrived to `body`, which must copy what it keeps. Never waits.
    ///
    /// - Parameters:
    ///   - reading: Whether to read from the socket; what the library has already read is handled in any case.
    ///   - body: Returns false to stop for now.
    func drain(
        reading: Bool, _ step: BrokerError.Step,
        _ body: (crabbitmq_frame_kind, amqp_frame_t) throws(BrokerError) -> Bool
    ) throws(BrokerError) {
        var first = reading
        watchdog.arm(limit)
        defer { watchdog.disarm() }
        while first || hasBuffered {
            first = false
            var frame = amqp_frame_t()
            var none = timeval(tv_sec: 0, tv_usec: 0)
            let status = amqp_simple_wait_frame_noblock(state, &frame, &none)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return }
            try check(status, step)
            let kind = crabbitmq_classify(&frame)
            try handleControl(kind, frame, step)
            let goOn = try body(kind, frame)
            amqp_maybe_release_buffers(state)
            if !goOn { return }
        }
    }

    private func handleControl(
        _ kind: crabbitmq_frame_kind, _ frame: amqp_frame_t, _ step: BrokerError.Step
    ) throws(BrokerError) {
        var frame = frame
        switch kind {
        case CRABBITMQ_FRAME_BLOCKED: isBlocked = true
        case CRABBITMQ_FRAME_UNBLOCKED: isBlocked = false
        case CRABBITMQ_FRAME_CHANNEL_CLOSE:
            let close = crabbitmq_method(&frame).assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            isBroken = true
            throw .refused(code: Int(close.reply_code), text: String(close.reply_text), step: step)
        case CRABBITMQ_FRAME_CONNECTION_CLOSE:
            let close = crabbitmq_method(&frame).assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            let detail = "\(close.reply_code) \(String(close.reply_text))"
            isBroken = true
            _ = watchdog.guarding(.seconds(1)) { crabbitmq_send_close_ok(state, 0) }
            throw .connectionLost(step: step, detail: detail)
        default: break
        }
    }

    // MARK: Waiting and sending

    struct Readiness: OptionSet {
        let rawValue: Int32
        static let readable = Readiness(rawValue: Int32(CRABBITMQ_READABLE))
        static let writable = Readiness(rawValue: Int32(CRABBITMQ_WRITABLE))
        static let rung = Readiness(rawValue: Int32(CRABBITMQ_RUNG))
    }

    /// Waits for something to read, for room to write, or for the bell.
    func wait(forWriting: Bool, bell: Bell, milliseconds: Int) -> Readiness {
        let result = Readiness(
            rawValue: crabbitmq_wait(
                watchdog.descriptor, forWriting, bell.descriptor, Int32(clamping: max(0, milliseconds))))
        if result.contains(.readable) { lastReceived = .now }
        if result.contains(.rung) { crabbitmq_bell_clear(bell.descriptor) }
        return result
    }

    /// Sends as much as the socket takes without waiting.
    func send(_ bytes: UnsafeRawBufferPointer) throws(BrokerError) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        let sent = crabbitmq_send(watchdog.descriptor, base, bytes.count)
        guard sent >= 0 else {
            isBroken = true
            throw .connectionLost(step: .publish, detail: "the socket reports error \(-sent)")
        }
        return sent
    }

    /// Turns the library's heartbeats off, so that it never writes between the halves of a frame we are sending.
    /// Not possible over TLS, where the library must write; the caller then publishes through the library.
    func takeOverHeartbeats(tls: Bool) {
        // amqp_tune_connection aborts the process in the middle of a frame: hence the question before it.
        guard !tls, amqp_release_buffers_ok(state) != 0 else { return }
        let status = amqp_tune_connection(state, amqp_get_channel_max(state), amqp_get_frame_max(state), 0)
        ownsHeartbeats = status == AMQP_STATUS_OK.rawValue
    }

    /// Ends channel and connection politely if it still works; the handle goes with the last reference.
    func close() {
        guard !isBroken else { return }
        isBroken = true
        var timeout = timeval(tv_sec: 2, tv_usec: 0)
        amqp_set_rpc_timeout(state, &timeout)
        _ = watchdog.guarding(.seconds(3)) { amqp_connection_close(state, Int32(AMQP_REPLY_SUCCESS)) }
    }
}
