import Contracts
import Crypto
import Dispatch
import Foundation
import Synchronization
import Transfer

/// A file that was fetched to this machine; removed with the last reference.
final class FileDownload: Sendable {
    let path: String
    let byteCount: Int
    /// SHA-256 in lower-case hexadecimal.
    let digest: String

    private init(path: String, byteCount: Int, digest: String) {
        self.path = path
        self.byteCount = byteCount
        self.digest = digest
    }

    deinit { unlink(path) }

    /// Streams a file of a source to a temporary one, of which nobody else may read.
    ///
    /// - Throws: `TransferError`, also for a file beyond `maximumBytes`; `LocalDiskError`.
    static func fetch(
        _ name: String, from location: RemoteLocation, with transfer: TransferClient, maximumBytes: Int
    ) async throws -> FileDownload {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("stock-ingestor-\(UUID().uuidString)").path
        let sink = try DownloadSink(path: path)
        do {
            try await transfer.download(location.site, path: location.path(of: name), maximumBytes: maximumBytes) {
                try sink.take($0)
            }
            let (digest, byteCount) = sink.finish()
            return FileDownload(path: path, byteCount: byteCount, digest: digest)
        } catch {
            _ = sink.finish()
            unlink(path)
            throw error
        }
    }

    /// The whole content.
    func content() throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
    }
}

/// The disk of this machine does not take a file.
struct LocalDiskError: Error, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String {
        "The temporary file \(path) could not be written: \(reason). Nothing was taken; make room on the disk."
    }
}

/// Writes and digests what the transfer thread hands over.
private final class DownloadSink: Sendable {
    private struct State {
        var hash = SHA256()
        var byteCount = 0
        var file: Int32
    }

    private let path: String
    private let state: Mutex<State>

    init(path: String) throws {
        self.path = path
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw LocalDiskError(path: path, reason: String(cString: strerror(errno))) }
        state = Mutex(State(file: file))
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            state.hash.update(bufferPointer: bytes)
            state.byteCount += bytes.count
            var written = 0
            while written < bytes.count {
                let count = write(state.file, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                if count < 0 && errno != EINTR {
                    throw LocalDiskError(path: path, reason: String(cString: strerror(errno)))
                }
                written += max(0, count)
            }
        }
    }

    func finish() -> (digest: String, byteCount: Int) {
        state.withLock { state in
            close(state.file)
            return (state.hash.finalize().hexadecimal, state.byteCount)
        }
    }
}

/// Ids that a repetition of the same work finds again.
enum DerivedID {
    /// The first 16 bytes of a digest over the parts, marked as a version 8 UUID (RFC 9562).
    static func make(_ parts: String...) -> UUID {
        var bytes = Array(SHA256.hash(data: Data(parts.joined(separator: "\u{0}").utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}

/// Threads that may block, for parsing: the few of Swift's own pool belong to everybody.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "stock-ingestor-files", attributes: .concurrent)

    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { try body() }) }
        }
        return try result.get()
    }
}
