public import Foundation

/// A mail as the mail server got it.
public struct ArrivedMail: Sendable {
    /// By their names in small letters; folded lines are joined.
    public let headers: [String: String]
    /// Every part that is no container, with its headers.
    public let parts: [Part]

    /// A part of a mail.
    public struct Part: Sendable {
        /// Such as `text/html`.
        public let type: String
        /// An attachment's.
        public let fileName: String?
        /// Decoded.
        public let content: Data
    }

    /// Reads a mail.
    public init(_ data: Data) {
        let raw = String(decoding: data, as: UTF8.self).replacing("\r\n", with: "\n")
        (headers, parts) = Self.read(raw)
    }

    /// As in the header.
    public var messageID: String { headers["message-id"] ?? "" }
    /// The addresses as they stand.
    public var to: String { headers["to"] ?? "" }
    /// The batch of an order report.
    public var batch: String? { headers["x-stockbridge-batch"] }
    /// Those with a file name.
    public var attachments: [Part] { parts.filter { $0.fileName != nil } }

    /// The text of all parts of a type.
    public func text(_ type: String = "text/plain") -> String {
        parts.filter { $0.type == type }.map { String(decoding: $0.content, as: UTF8.self) }.joined(separator: "\n")
    }

    private static func read(_ raw: String) -> ([String: String], [Part]) {
        let (headers, body) = split(raw)
        let described = headers["content-type"] ?? "text/plain"
        let type = described.split(separator: ";").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
        if let boundary = parameter("boundary", of: described) {
            let pieces = body.components(separatedBy: "--" + boundary).dropFirst()
            let parts = pieces.filter { !$0.hasPrefix("--") }.flatMap { piece in
                read(piece.hasPrefix("\n") ? String(piece.dropFirst()) : piece).1
            }
            return (headers, parts)
        }
        let name =
            parameter("filename", of: headers["content-disposition"] ?? "") ?? parameter("name", of: described)
        let content = decoded(body, headers["content-transfer-encoding"]?.lowercased() ?? "")
        return (headers, [Part(type: type.lowercased(), fileName: name, content: content)])
    }

    private static func split(_ text: String) -> ([String: String], String) {
        let gap = text.range(of: "\n\n")
        let head = text[..<(gap?.lowerBound ?? text.endIndex)].replacing(#/\n[ \t]+/#, with: " ")
        var headers: [String: String] = [:]
        for line in head.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        return (headers, gap.map { String(text[$0.upperBound...]) } ?? "")
    }

    private static func parameter(_ name: String, of value: String) -> String? {
        for piece in value.split(separator: ";").dropFirst() {
            let pair = piece.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard pair.count == 2, pair[0].lowercased() == name else { continue }
            return pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        }
        return nil
    }

    private static func decoded(_ body: String, _ encoding: String) -> Data {
        switch encoding {
        case "base64": return Data(base64Encoded: body, options: .ignoreUnknownCharacters) ?? Data()
        case "quoted-printable":
            var bytes: [UInt8] = []
            var rest = Array(body.replacing("=\n", with: "").utf8)[...]
            while let byte = rest.popFirst() {
                let hexadecimal = String(decoding: rest.prefix(2), as: UTF8.self)
                if byte == UInt8(ascii: "="), let coded = UInt8(hexadecimal, radix: 16) {
                    bytes.append(coded)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            }
            return Data(bytes)
        default: return Data(body.utf8)
        }
    }
}

extension ProcessStack {
    /// Every mail that arrived, repetitions included, by the names of their files.
    public func arrivedMails() throws -> [ArrivedMail] {
        let names = try FileManager.default.contentsOfDirectory(atPath: mailDirectory.path()).sorted()
        return names.filter { $0.hasSuffix(".eml") }.map { name in
            ArrivedMail(FileManager.default.contents(atPath: mailDirectory.appending(path: name).path()) ?? Data())
        }
    }
}
