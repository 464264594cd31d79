/// A numbered reply of an FTP or SMTP server.
struct ServerReply: Sendable, Equatable {
    var code: Int
    var text: String
}

/// Follows the commands and replies of FTP and SMTP, so that an error can say which command was refused, and why.
///
/// Arguments of commands are never kept: they hold passwords and addresses.
struct ServerDialogue: Sendable {
    private static let verbs: Set<String> = [
        "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "USER", "PASS", "ACCT", "CWD", "PWD", "TYPE",
        "SIZE",
        "MDTM", "MLSD", "NLST", "LIST", "RETR", "STOR", "DELE", "RNFR", "RNTO", "EPSV", "PASV", "PBSZ", "PROT", "REST",
    ]

    /// The step in which the mail itself is sent.
    static let message = "message"

    /// The last command of a known name or ``message``; before the first, what servers begin with.
    private(set) var step = "greeting"
    /// The last reply; lines after the first are joined by a space.
    private(set) var reply = ServerReply(code: 0, text: "")

    /// A command was sent.
    mutating func sent(_ line: [UInt8]) {
        if isOver { return }
        let verb = String(decoding: line.prefix { $0 > 0x20 }, as: UTF8.self).uppercased()
        // Unknown first words are answers within AUTH, hence secret.
        if Self.verbs.contains(verb) { step = verb }
        // libcurl takes its leave before it reports the result; the answer to that says nothing about the transfer.
        if verb == "QUIT" { isOver = true }
    }

    /// Part of the message was sent.
    mutating func sentMessage() { step = Self.message }

    /// A line was received.
    mutating func received(_ line: [UInt8]) {
        let text = String(decoding: line, as: UTF8.self)
        guard !isOver, line.count >= 3, let code = Int(text.prefix(3)), (100..<600).contains(code) else { return }
        let words = Self.hidingAddresses(text.dropFirst(4))
        let joined = code == reply.code && wasContinued ? reply.text + " " + words : words
        reply = ServerReply(code: code, text: String(joined.prefix(300)))
        wasContinued = line.count > 3 && line[3] == 0x2D  // "250-" announces another line
    }

    private var wasContinued = false
    private var isOver = false

    /// Replaces whatever looks like a mail address, for servers repeat those in their replies.
    static func hidingAddresses(_ text: some StringProtocol) -> String {
        text.split { $0.isWhitespace || $0.asciiValue.map { $0 < 0x20 } == true }
            .map { $0.contains("@") ? "<address>" : String($0) }
            .joined(separator: " ")
    }
}
