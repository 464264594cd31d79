import Dispatch
import Foundation
import Synchronization

/// Files of this machine under the interface of remote ones, off the threads of Swift's concurrency pool.
enum LocalFolder {
    private static let chunkBytes = 512 * 1024
    /// Disks block, so they get threads that may.
    private static let queue = DispatchQueue(label: "transfer-folder", attributes: .concurrent)

    static func list(
        _ directory: String, _ matching: (@Sendable (String) -> Bool)?
    ) async throws(TransferError) -> [RemoteEntry] {
        try await perform { () throws(TransferError) -> [RemoteEntry] in
            guard let stream = opendir(directory) else { throw failure(directory) }
            defer { closedir(stream) }
            var entries: [RemoteEntry] = []
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard matching?(name) ?? true else { continue }
                var status = stat()
                guard stat(RemoteURL.join(directory, name), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                    continue
                }
                let seconds = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
                entries.append(
                    RemoteEntry(
                        name: name, size: Int(status.st_size), modifiedAt: Date(timeIntervalSince1970: seconds)))
            }
            return entries.sorted { $0.name < $1.name }
        }
    }

    static func read(
        _ path: String, _ maximumBytes: Int, _ sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        let cancelled = CancellationMark()
        let result: Result<Void, any Error> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async {
                    continuation.resume(returning: Result { try readNow(path, maximumBytes, cancelled, sink) })
                }
            }
        } onCancel: {
            cancelled.set()
        }
        try result.get()
    }

    private static func readNow(
        _ path: String, _ maximumBytes: Int, _ cancelled: CancellationMark,
        _ sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { Foundation.close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
        defer { buffer.deallocate() }
        var total = 0
        while true {
            if cancelled.isSet { throw TransferError.cancelled(requestSent: true) }
            let count = Foundation.read(file, buffer.baseAddress, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path)
            }
            if count == 0 { return }
            total += count
            guard total <= maximumBytes else { throw TransferError.tooLarge(limit: maximumBytes) }
            try sink(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    static func write(_ path: String, _ bytes: [UInt8]) async throws(TransferError) {
        try await perform { () throws(TransferError) in
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw failure(path) }
            defer { Foundation.close(file) }
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Foundation.write(file, $0.baseAddress?.advanced(by: written), bytes.count - written)
                }
                if count < 0 && errno != EINTR { throw failure(path) }
                written += max(0, count)
            }
        }
    }

    static func rename(_ old: String, _ new: String) async throws(TransferError) {
        try await perform { () throws(TransferError) in
            guard Foundation.rename(old, new) == 0 else { throw failure(old) }
        }
    }

    static func remove(_ path: String) async throws(TransferError) {
        try await perform { () throws(TransferError) in
            guard unlink(path) == 0 else { throw failure(path) }
        }
    }

    private static func perform<Value: Sendable>(
        _ body: @escaping @Sendable () throws(TransferError) -> Value
    ) async throws(TransferError) -> Value {
        let result: Result<Value, TransferError> = await withCheckedContinuation { continuation in
            queue.async {
                do throws(TransferError) { continuation.resume(returning: .success(try body())) } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private static func failure(_ path: String) -> TransferError {
        switch errno {
        case ENOENT, ENOTDIR: .notFound(path: path)
        case EACCES, EPERM: .accessDenied(path: path)
        default: .localFile(path: path, reason: String(cString: strerror(errno)))
        }
    }
}

/// Set from any thread, once.
private final class CancellationMark: Sendable {
    private let mark = Atomic(false)
    var isSet: Bool { mark.load(ordering: .relaxed) }
    func set() { mark.store(true, ordering: .relaxed) }
}
