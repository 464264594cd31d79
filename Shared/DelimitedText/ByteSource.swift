internal import Glibc

/// Where bytes come from: a file, a download, memory.
public protocol ByteSource: AnyObject {
    /// Fills `buffer` from its start.
    ///
    /// - Returns: How many bytes were written; 0 only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DelimitedTextError) -> Int
}

/// A local file.
public final class FileByteSource: ByteSource {
    private let path: String
    private let descriptor: Int32

    /// Opens the file for reading.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - offset: The byte to begin at.
    public init(path: String, offset: Int = 0) throws(DelimitedTextError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, offset == 0 || lseek(descriptor, offset, SEEK_SET) == offset else {
            throw .unreadable(path: path, detail: String(cString: strerror(errno)))
        }
    }

    deinit { close(descriptor) }

    /// Reads the next bytes; retries when a signal interrupts.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(DelimitedTextError) -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .unreadable(path: path, detail: String(cString: strerror(errno))) }
        }
    }
}

/// Bytes that are in memory already; for small files and tests.
public final class MemoryByteSource: ByteSource {
    private let bytes: [UInt8]
    private let stride: Int
    private var position = 0

    /// - Parameters:
    ///   - bytes: What is read.
    ///   - stride: The most that one read returns; small strides test what happens at the seams.
    public init(_ bytes: [UInt8], stride: Int = .max) {
        precondition(stride > 0, "a read must get somewhere")
        self.bytes = bytes
        self.stride = stride
    }

    /// Copies the next bytes.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - position, stride)
        bytes.withUnsafeBytes { all in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[position..<position + count]))
        }
        position += count
        return count
    }
}
