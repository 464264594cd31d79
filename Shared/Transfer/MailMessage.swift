public import Foundation

/// One mail; sent by ``TransferClient/sendMail(_:via:timeoutSeconds:)``.
public struct MailMessage: Sendable, Equatable {
    /// A file that comes with the mail.
    public struct Attachment: Sendable, Equatable {
        /// Shown to the reader; any letters.
        public var filename: String
        /// Such as `text/csv`.
        public var contentType: String
        /// Sent in base64.
        public var bytes: [UInt8]

        /// Keeps all as they are.
        public init(filename: String, contentType: String, bytes: [UInt8]) {
            self.filename = filename
            self.contentType = contentType
            self.bytes = bytes
        }
    }

    /// An image that the HTML shows as `<img src="cid:contentID">`.
    public struct InlineImage: Sendable, Equatable {
        /// Letters, digits, `.`, `-`, `_` and `@`.
        public var contentID: String
        /// Such as `image/png`.
        public var contentType: String
        /// Sent in base64.
        public var bytes: [UInt8]

        /// Keeps all as they are.
        public init(contentID: String, contentType: String, bytes: [UInt8]) {
            self.contentID = contentID
            self.contentType = contentType
            self.bytes = bytes
        }
    }

    /// A header line of the sender's own.
    public struct Header: Sendable, Equatable {
        /// Begins with `X-`; letters, digits and `-`.
        public var name: String
        /// One line of ASCII.
        public var value: String

        /// Keeps both as they are.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The sender, in the header and on the envelope.
    public var from: MailAddress
    /// At least one.
    public var to: [MailAddress]
    /// One line, any letters.
    public var subject: String
    /// Unique; with or without angle brackets. The same for each attempt at the same mail.
    public var messageID: String
    /// Written in UTC.
    public var date: Date
    /// The message for readers without HTML.
    public var text: String
    /// The message for all others.
    public var html: String?
    /// In this order, after the message.
    public var attachments: [Attachment]
    /// Part of the HTML.
    public var inlineImages: [InlineImage]
    /// Further header lines.
    public var headers: [Header]

    /// Keeps all as they are; rules are checked when the mail is sent.
    public init(
        from: MailAddress, to: [MailAddress], subject: String, messageID: String, date: Date, text: String,
        html: String? = nil, attachments: [Attachment] = [], inlineImages: [InlineImage] = [],
        headers: [Header] = []
    ) {
        self.from = from
        self.to = to
        self.subject = subject
        self.messageID = messageID
        self.date = date
        self.text = text
        self.html = html
        self.attachments = attachments
        self.inlineImages = inlineImages
        self.headers = headers
    }
}

/// A mail address with the name shown beside it.
public struct MailAddress: Sendable, Hashable {
    /// Any letters; `nil` for none.
    public var name: String?
    /// `local@domain` in ASCII.
    public var address: String

    /// Keeps both as they are; rules are checked when a mail is sent.
    public init(name: String? = nil, address: String) {
        self.name = name
        self.address = address
    }

    /// Reads `local@domain` or `Name <local@domain>`, the name with or without quotation marks.
    public init(parsing text: String) throws(TransferError) {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        if trimmed.hasSuffix(">"), let open = trimmed.lastIndex(of: "<") {
            var name = trimmed[..<open].trimmingCharacters(in: .whitespaces)
            if name.count >= 2, name.hasPrefix("\""), name.hasSuffix("\"") {
                name = String(name.dropFirst().dropLast()).replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
            }
            self.init(
                name: name.isEmpty ? nil : name,
                address: String(trimmed[trimmed.index(after: open)...].dropLast()))
        } else {
            self.init(address: trimmed)
        }
        try MailRules.check(self)
    }
}

/// A server that takes mail.
public struct MailServer: Sendable, Equatable {
    /// Whether and when the connection is encrypted. There is no "if possible".
    public enum TLS: Sendable, Equatable {
        /// Never.
        case off
        /// From `STARTTLS` on; a server without it is refused.
        case startTLS
        /// From the first byte.
        case implicit
    }

    /// Name or address.
    public var host: String
    /// TCP port.
    public var port: Int
    /// Certificates are always verified.
    public var tls: TLS
    /// Sent over TLS only.
    public var credentials: Credentials?
    /// PEM file of trusted authorities, in place of the client's.
    public var caFile: String?

    /// Keeps all as they are.
    public init(host: String, port: Int, tls: TLS, credentials: Credentials? = nil, caFile: String? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
        self.credentials = credentials
        self.caFile = caFile
    }
}

/// What the server said when it took the mail over.
public struct MailReceipt: Sendable, Equatable {
    /// As in the header, with angle brackets.
    public var messageID: String
    /// All of the message's; a server that refuses one gets no mail.
    public var recipients: Int
    /// The server's last words, often the number under which it queued the mail.
    public var reply: String
}
