internal import CRabbitMQ
internal import Foundation

/// Memory for the C form of names, properties and tables; everything stays valid until ``reset()``.
final class Arena {
    private let pool: UnsafeMutablePointer<amqp_pool_t>

    init() {
        pool = .allocate(capacity: 1)
        init_amqp_pool(pool, 16 * 1024)
    }

    deinit {
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    /// Takes back everything handed out, keeping the memory for the next use.
    func reset() { recycle_amqp_pool(pool) }

    func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    func bytes(_ array: [UInt8]) -> amqp_bytes_t { array.withUnsafeBytes { copy($0) } }

    private func copy(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        guard let from = source.baseAddress, source.count > 0, let to = amqp_pool_alloc(pool, source.count) else {
            return amqp_bytes_t(len: 0, bytes: nil)
        }
        to.copyMemory(from: from, byteCount: source.count)
        return amqp_bytes_t(len: source.count, bytes: to)
    }

    func table(_ entries: [String: HeaderValue]) -> amqp_table_t {
        guard !entries.isEmpty,
            let memory = amqp_pool_alloc(pool, entries.count * MemoryLayout<amqp_table_entry_t>.stride)
        else { return amqp_table_t(num_entries: 0, entries: nil) }
        let list = memory.bindMemory(to: amqp_table_entry_t.self, capacity: entries.count)
        for (index, entry) in entries.enumerated() {
            (list + index).initialize(to: amqp_table_entry_t(key: bytes(entry.key), value: value(entry.value)))
        }
        return amqp_table_t(num_entries: Int32(entries.count), entries: list)
    }

    private func array(_ values: [HeaderValue]) -> amqp_array_t {
        guard !values.isEmpty,
            let memory = amqp_pool_alloc(pool, values.count * MemoryLayout<amqp_field_value_t>.stride)
        else { return amqp_array_t(num_entries: 0, entries: nil) }
        let list = memory.bindMemory(to: amqp_field_value_t.self, capacity: values.count)
        for (index, element) in values.enumerated() { (list + index).initialize(to: value(element)) }
        return amqp_array_t(num_entries: Int32(values.count), entries: list)
    }

    private func value(_ header: HeaderValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        switch header {
        case .string(let text): field.set(AMQP_FIELD_KIND_UTF8) { $0.bytes = bytes(text) }
        case .integer(let number): field.set(AMQP_FIELD_KIND_I64) { $0.i64 = number }
        case .boolean(let flag): field.set(AMQP_FIELD_KIND_BOOLEAN) { $0.boolean = flag ? 1 : 0 }
        case .double(let number): field.set(AMQP_FIELD_KIND_F64) { $0.f64 = number }
        case .timestamp(let date): field.set(AMQP_FIELD_KIND_TIMESTAMP) { $0.u64 = date.wireSeconds }
        case .bytes(let array): field.set(AMQP_FIELD_KIND_BYTES) { $0.bytes = bytes(array) }
        case .table(let entries): field.set(AMQP_FIELD_KIND_TABLE) { $0.table = table(entries) }
        case .array(let values): field.set(AMQP_FIELD_KIND_ARRAY) { $0.array = array(values) }
        case .void: field.set(AMQP_FIELD_KIND_VOID) { _ in }
        }
        return field
    }

    func properties(_ source: MessageProperties) -> amqp_basic_properties_t {
        var target = amqp_basic_properties_t()
        var flags: UInt32 = 0
        func put(_ text: String?, _ bit: UInt32, _ field: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>) {
            guard let text else { return }
            flags |= 1 << bit
            target[keyPath: field] = bytes(text)
        }
        // The bits are those of the property flags in AMQP 0-9-1, class basic.
        put(source.contentType, 15, \.content_type)
        put(source.correlationID, 10, \.correlation_id)
        put(source.expirationMilliseconds.map { String(max(0, $0)) }, 8, \.expiration)
        put(source.messageID, 7, \.message_id)
        put(source.type, 5, \.type)
        put(source.appID, 3, \.app_id)
        if !source.headers.isEmpty {
            flags |= 1 << 13
            target.headers = table(source.headers)
        }
        if let timestamp = source.timestamp {
            flags |= 1 << 6
            target.timestamp = timestamp.wireSeconds
        }
        flags |= 1 << 12
        target.delivery_mode = source.persistent ? 2 : 1
        target._flags = flags
        return target
    }
}

extension amqp_field_value_t {
    fileprivate mutating func set(
        _ kind: amqp_field_value_kind_t, _ write: (inout amqp_field_value_t.__Unnamed_union_value) -> Void
    ) {
        self.kind = UInt8(truncatingIfNeeded: kind.rawValue)
        write(&value)
    }
}

extension Date {
    /// Seconds since 1970 in the 64 bits of an AMQP timestamp.
    var wireSeconds: UInt64 {
        UInt64(bitPattern: Int64(exactly: timeIntervalSince1970.rounded(.down)) ?? 0)
    }

    /// Anybody may write any 64 bits there; what lies outside the years 1 to 9999 is brought to their nearest end.
    init(wireSeconds: UInt64) {
        let seconds = min(max(Int64(bitPattern: wireSeconds), -62_135_596_800), 253_402_300_799)
        self.init(timeIntervalSince1970: Double(seconds))
    }
}

extension String {
    /// Text off the wire; bytes that are no UTF-8 become replacement characters.
    init(_ bytes: amqp_bytes_t) { self.init(decoding: bytes.buffer, as: UTF8.self) }
}

extension amqp_bytes_t {
    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : len) }
}

extension HeaderValue {
    /// Copies a value out of the library's memory.
    init(copying field: amqp_field_value_t) {
        let value = field.value
        switch UInt32(field.kind) {
        case UInt32(AMQP_FIELD_KIND_BOOLEAN.rawValue): self = .boolean(value.boolean != 0)
        case UInt32(AMQP_FIELD_KIND_I8.rawValue): self = .integer(Int64(value.i8))
        case UInt32(AMQP_FIELD_KIND_U8.rawValue): self = .integer(Int64(value.u8))
        case UInt32(AMQP_FIELD_KIND_I16.rawValue): self = .integer(Int64(value.i16))
        case UInt32(AMQP_FIELD_KIND_U16.rawValue): self = .integer(Int64(value.u16))
        case UInt32(AMQP_FIELD_KIND_I32.rawValue): self = .integer(Int64(value.i32))
        case UInt32(AMQP_FIELD_KIND_U32.rawValue): self = .integer(Int64(value.u32))
        case UInt32(AMQP_FIELD_KIND_I64.rawValue): self = .integer(value.i64)
        case UInt32(AMQP_FIELD_KIND_U64.rawValue): self = .integer(Int64(clamping: value.u64))
        case UInt32(AMQP_FIELD_KIND_F32.rawValue): self = .double(Double(value.f32))
        case UInt32(AMQP_FIELD_KIND_F64.rawValue): self = .double(value.f64)
        case UInt32(AMQP_FIELD_KIND_DECIMAL.rawValue):
            self = .double(Double(value.decimal.value) / pow(10, Double(value.decimal.decimals)))
        case UInt32(AMQP_FIELD_KIND_UTF8.rawValue):
            // The broker marks every long string as text, whatever it holds.
            if let text = String(validating: value.bytes.buffer, as: UTF8.self) {
                self = .string(text)
            } else {
                self = .bytes([UInt8](value.bytes.buffer))
            }
        case UInt32(AMQP_FIELD_KIND_BYTES.rawValue): self = .bytes([UInt8](value.bytes.buffer))
        case UInt32(AMQP_FIELD_KIND_TIMESTAMP.rawValue): self = .timestamp(Date(wireSeconds: value.u64))
        case UInt32(AMQP_FIELD_KIND_TABLE.rawValue): self = .table(HeaderValue.table(copying: value.table))
        case UInt32(AMQP_FIELD_KIND_ARRAY.rawValue):
            let list = UnsafeBufferPointer(start: value.array.entries, count: Int(value.array.num_entries))
            self = .array(list.map { HeaderValue(copying: $0) })
        default: self = .void
        }
    }

    /// Copies a table out of the library's memory.
    static func table(copying table: amqp_table_t) -> [String: HeaderValue] {
        let list = UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries))
        var result = [String: HeaderValue](minimumCapacity: list.count)
        for entry in list { result[String(entry.key)] = HeaderValue(copying: entry.value) }
        return result
    }
}

extension MessageProperties {
    /// Copies the properties of a delivery out of the library's memory.
    init(copying source: amqp_basic_properties_t) {
        func text(_ bit: UInt32, _ bytes: amqp_bytes_t) -> String? {
            source._flags & (1 << bit) == 0 ? nil : String(bytes)
        }
        self.init(
            contentType: text(15, source.content_type), messageID: text(7, source.message_id),
            correlationID: text(10, source.correlation_id), type: text(5, source.type), appID: text(3, source.app_id),
            timestamp: source._flags & (1 << 6) == 0 ? nil : Date(wireSeconds: source.timestamp),
            expirationMilliseconds: text(8, source.expiration).flatMap { Int($0) },
            persistent: source._flags & (1 << 12) != 0 && source.delivery_mode == 2,
            headers: source._flags & (1 << 13) == 0 ? [:] : HeaderValue.table(copying: source.headers))
    }
}
