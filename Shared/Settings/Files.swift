internal import Foundation

/// Why a file cannot be read.
public enum FileProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is none.
    case missing
    /// It is a folder or something else that has no text.
    case notAFile
    /// This user may not read it.
    case forbidden
    /// It is larger than anything sensible.
    case tooLarge(limitBytes: Int)
    /// Reading failed for another reason.
    case failed

    /// What is wrong and what to do, to be put after the file's name.
    public var description: String {
        switch self {
        case .missing: "does not exist; create it, or correct the path"
        case .notAFile: "is not a file; correct the path"
        case .forbidden: "may not be read by this user; change its owner or mode"
        case .tooLarge(let limit): "is larger than \(limit) bytes; correct the path"
        case .failed: "cannot be read; look at the disk and the file's mode"
        }
    }
}

/// The whole of a file that must not be larger than `maximumBytes`.
func readFile(_ path: String, maximumBytes: Int) throws(FileProblem) -> Data {
    try checkReadable(path)
    do {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }  // only read from: closing cannot lose anything
        // One byte more than allowed tells a large file from one that just fits, whatever its stated size.
        var bytes = Data()
        while bytes.count <= maximumBytes {
            guard let part = try handle.read(upToCount: maximumBytes + 1 - bytes.count), !part.isEmpty else {
                return bytes
            }
            bytes.append(part)
        }
    } catch {
        throw .failed
    }
    throw .tooLarge(limitBytes: maximumBytes)
}

/// Throws unless there is a file of that name and this user may read it.
func checkReadable(_ path: String) throws(FileProblem) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { throw .missing }
    guard !isDirectory.boolValue else { throw .notAFile }
    guard FileManager.default.isReadableFile(atPath: path) else { throw .forbidden }
}
