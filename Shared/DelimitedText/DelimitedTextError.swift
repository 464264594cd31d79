/// Why a delimited file cannot be read as text at all. Faults of single records are a ``RecordFault`` instead.
public enum DelimitedTextError: Error, Equatable, CustomStringConvertible {
    /// The system refused to open or read the file.
    case unreadable(path: String, detail: String)
    /// Bytes that the encoding does not allow. `line` is 0 where it is not known; `declared` tells whether the
    /// encoding was stated or had to be found out.
    case invalidBytes(encoding: TextEncoding, byteOffset: Int, line: Int, declared: Bool)

    /// What happened and what to do.
    public var description: String {
        switch self {
        case .unreadable(let path, let detail):
            return "\(path) cannot be read: \(detail)."
        case .invalidBytes(let encoding, let offset, let line, let declared):
            let place = line > 0 ? "line \(line) (byte \(offset))" : "byte \(offset)"
            return declared
                ? "\(place) is not valid \(encoding.rawValue), the encoding declared for it. Nothing was taken from "
                    + "the file; correct `encoding`."
                : "The encoding is unknown: \(place) is not valid \(encoding.rawValue) and the file starts with no "
                    + "byte order mark. Nothing was taken from the file; declare `encoding` (for example windows-1258)."
        }
    }
}
