public import Foundation
import Synchronization

/// Random bytes from the system, fetched 256 at a time. An event needs 24 to 40 of them for its id and its span; the
/// standard library asks the system for every eight, which cost more than the rest of the envelope.
@usableFromInline
enum RandomBytes {
    private struct Stock {
        var bytes = [UInt8](repeating: 0, count: 256)
        var used = 256
    }

    private static let stock = Mutex(Stock())

    /// A random UUID (version 4 of RFC 9562).
    @usableFromInline
    static func uuid() -> UUID {
        var bytes = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)).uuid
        withUnsafeMutableBytes(of: &bytes) { fill($0) }
        bytes.6 = bytes.6 & 0x0F | 0x40
        bytes.8 = bytes.8 & 0x3F | 0x80
        return UUID(uuid: bytes)
    }

    /// Fills `target`, which is shorter than a refill, with bytes that are handed out once.
    static func fill(_ target: UnsafeMutableRawBufferPointer) {
        stock.withLock { stock in
            if stock.bytes.count - stock.used < target.count {
                refill(&stock.bytes)
                stock.used = 0
            }
            stock.bytes.withUnsafeBytes { bytes in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[stock.used..<stock.used + target.count]))
            }
            stock.used += target.count
        }
    }

    private static func refill(_ bytes: inout [UInt8]) {
        let status = bytes.withUnsafeMutableBytes { bytes in
            // 256 is the most that one call gives.
            bytes.baseAddress.map { getentropy($0, bytes.count) }
        }
        if status == 0 { return }
        // A kernel that knows no such call: then as the standard library does it.
        var generator = SystemRandomNumberGenerator()
        for index in bytes.indices { bytes[index] = generator.next() }
    }
}
