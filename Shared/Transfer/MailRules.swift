import Foundation

/// What mail must look like (RFC 5322, 2047, 2231). Everything that could begin a header of its own is refused.
enum MailRules {
    static func check(_ message: MailMessage) throws(TransferError) {
        guard !message.to.isEmpty else { throw .invalidRequest(reason: "the mail has no recipient") }
        for address in [message.from] + message.to { try check(address) }
        guard isOneLine(message.subject) else { throw .invalidRequest(reason: "the subject holds a control character") }
        guard isMessageID(message.messageID) else { throw .invalidRequest(reason: "the message ID is malformed") }
        for attachment in message.attachments {
            guard isOneLine(attachment.filename), !attachment.filename.isEmpty else {
                throw .invalidRequest(reason: "the name of an attachment is empty or holds a control character")
            }
            try checkType(attachment.contentType)
        }
        for header in message.headers {
            guard header.name.hasPrefix("X-"), header.name.utf8.count <= 60, isAtomText(header.name, besides: ""),
                header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), header.value.utf8.count <= 900
            else { throw .invalidRequest(reason: "a header of the sender's own is malformed") }
        }
        for image in message.inlineImages {
            guard isAtomText(image.contentID, besides: "@") else {
                throw .invalidRequest(reason: "the content ID of an image is malformed")
            }
            try checkType(image.contentType)
        }
        guard message.html != nil || message.inlineImages.isEmpty else {
            throw .invalidRequest(reason: "images need HTML that shows them")
        }
    }

    /// `local@domain` of the form nearly all addresses have: dots and atoms, no quotation (RFC 5321, 4.1.2).
    static func check(_ address: MailAddress) throws(TransferError) {
        let parts = address.address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, address.address.utf8.count <= 254, isDotAtom(parts[0]), parts[0].utf8.count <= 64,
            isDomain(parts[1])
        else { throw .invalidRequest(reason: "an address is not of the form local@domain") }
        guard isOneLine(address.name ?? "") else {
            throw .invalidRequest(reason: "the name beside an address holds a control character")
        }
    }

    private static func isDotAtom(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
            isAtomText($0, besides: "!#$%&'*+/=?^`{|}~")
        }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            label.utf8.count <= 63 && isAtomText(label, besides: "") && !label.contains("_") && label.first != "-"
                && label.last != "-"
        }
    }

    /// Letters, digits, `-`, `_`, `.`, and those named; not empty.
    private static func isAtomText(_ text: some StringProtocol, besides others: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: others.utf8.contains(byte)
                }
            }
    }

    private static func isMessageID(_ text: String) -> Bool {
        let inner = bare(text).split(separator: "@", omittingEmptySubsequences: false)
        return inner.count == 2 && inner.allSatisfy { isAtomText($0, besides: "!#$%&'*+/=?^`{|}~") }
            && text.utf8.count < 250
    }

    private static func bare(_ messageID: String) -> String {
        messageID.hasPrefix("<") && messageID.hasSuffix(">") ? String(messageID.dropFirst().dropLast()) : messageID
    }

    /// With angle brackets.
    static func messageID(_ text: String) -> String { "<\(bare(text))>" }

    private static func checkType(_ type: String) throws(TransferError) {
        let parts = type.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ isAtomText($0, besides: "+!#$&^") }),
            type.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { throw .invalidRequest(reason: "a content type is not of the form type/subtype") }
    }

    /// No control character, line or paragraph separator.
    static func isOneLine(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar.value != 0x2028
                && scalar.value != 0x2029
        }
    }
}

/// Writes header lines.
enum MailHeaders {
    private static let lineLimit = 76

    /// The lines for libcurl, without those that describe the parts.
    static func lines(_ message: MailMessage) -> [String] {
        [
            "Date: \(date(message.date))",
            "From: \(address(message.from))",
            "To: \(message.to.map(address).joined(separator: ",\r\n "))",
            "Message-ID: \(MailRules.messageID(message.messageID))",
            "Subject: \(text(message.subject, indent: 9))",
        ] + message.headers.map { "\($0.name): \($0.value)" }
    }

    /// Such as `Sat, 21 Nov 2026 06:00:00 +0000` (RFC 5322, 3.3).
    static func date(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day, .weekday, .hour, .minute, .second], from: date)
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func padded(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        let day = "\(weekdays[(parts.weekday ?? 1) - 1]), \(padded(parts.day)) \(months[(parts.month ?? 1) - 1])"
        let time = [parts.hour, parts.minute, parts.second].map(padded).joined(separator: ":")
        return "\(day) \(parts.year ?? 0) \(time) +0000"
    }

    /// `Name <local@domain>`.
    static func address(_ address: MailAddress) -> String {
        guard let name = address.name, !name.isEmpty else { return address.address }
        guard isPlain(name), name.utf8.count <= 60 else {
            return "\(encodedWords(name, indent: 6))\r\n <\(address.address)>"
        }
        let isAtoms = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x20, 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
            }
        }
        let quoted = "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        return "\(isAtoms ? name : quoted) <\(address.address)>"
    }

    /// Unstructured text, encoded where it must be; `indent` is what stands before it in the line.
    static func text(_ text: String, indent: Int) -> String {
        isPlain(text) && text.utf8.count + indent <= lineLimit ? text : encodedWords(text, indent: indent)
    }

    /// ASCII that nobody could take for an encoded word.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } && !text.contains("=?") }

    /// RFC 2047, 2: words of at most 75 characters, each of whole characters, one per line.
    static func encodedWords(_ text: String, indent: Int) -> String {
        let overhead = "=?UTF-8?B??=".utf8.count
        var words: [String] = []
        var piece: [UInt8] = []
        func room() -> Int { (lineLimit - (words.isEmpty ? indent : 1) - overhead) / 4 * 3 }
        func flush() {
            words.append("=?UTF-8?B?\(Data(piece).base64EncodedString())?=")
            piece = []
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if piece.count + bytes.count > room() { flush() }
            piece += bytes
        }
        if !piece.isEmpty || words.isEmpty { flush() }
        return words.joined(separator: "\r\n ")
    }

    /// The header of an attachment; a name outside ASCII as RFC 2231, 4 has it.
    static func disposition(filename: String) -> String {
        let start = "Content-Disposition: attachment;"
        let isSafe = filename.utf8.allSatisfy { $0 < 0x80 && $0 != 0x22 && $0 != 0x5C }
        if isSafe && filename.utf8.count <= 120 { return "\(start) filename=\"\(filename)\"" }
        return "\(start)\r\n filename*=UTF-8''\(PercentEncoding.encode(filename))"
    }
}
