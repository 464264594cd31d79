internal import CRabbitMQ

/// Encoded frames waiting for the socket, so that many publishes go out in one system call.
struct OutboundBuffer: ~Copyable {
    private var memory = UnsafeMutableRawPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private var capacity = 64 * 1024
    private var start = 0
    private var end = 0

    deinit { memory.deallocate() }

    var isEmpty: Bool { start == end }
    var count: Int { end - start }

    /// What is to be sent next.
    var pending: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory + start, count: end - start) }

    mutating func sent(_ bytes: Int) {
        start += bytes
        if start == end { removeAll() }
    }

    mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Appends the frames of one basic.publish. Fails only if the library cannot encode the message.
    mutating func append(_ message: OutgoingMessage, arena: Arena, frameMax: Int, channel: UInt16) -> Bool {
        let frames = message.body.count / (frameMax - 8) + 1
        // 4 KiB cover both names, all short properties, and the fixed parts.
        let headers = message.properties.headers
        reserve(message.body.count + 8 * frames + (headers.isEmpty ? 0 : HeaderSize.bytes(of: headers)) + 4096)
        var properties = arena.properties(message.properties)
        let written = message.body.withUnsafeBytes { body in
            crabbitmq_encode_publish(
                (memory + end).assumingMemoryBound(to: UInt8.self), capacity - end, channel,
                arena.bytes(message.exchange), arena.bytes(message.routingKey), message.mandatory, &properties,
                body.baseAddress, body.count, frameMax)
        }
        guard written > 0 else { return false }
        end += written
        return true
    }

    /// Appends a heartbeat frame: type 8, channel 0, no payload.
    mutating func appendHeartbeat() {
        let frame: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0xCE]
        reserve(frame.count)
        (memory + end).copyMemory(from: frame, byteCount: frame.count)
        end += frame.count
    }

    private mutating func reserve(_ bytes: Int) {
        guard capacity - end < bytes else { return }
        let larger = max(capacity * 2, count + bytes)
        let new = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        new.copyMemory(from: memory + start, byteCount: count)
        memory.deallocate()
        memory = new
        capacity = larger
        end -= start
        start = 0
    }
}
