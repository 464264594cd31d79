internal import CXLSXWriter
internal import Foundation

/// What the library's error codes mean.
enum LibraryError {
    static func detail(_ error: lxw_error) -> String {
        guard let text = lxw_strerror(error) else { return "error \(error.rawValue)" }
        return String(cString: text)
    }
}

/// What the system's error codes mean.
enum SystemError {
    /// Where nobody said why, a write that failed means a full disk more often than not.
    static func detail(_ code: Int32) -> String {
        switch code {
        case 0: "the disk took no more"
        case ENOSPC, EDQUOT: "the disk is full"
        default: String(cString: strerror(code))
        }
    }
}
