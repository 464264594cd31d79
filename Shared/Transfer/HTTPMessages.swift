/// One header of a request or response.
public struct HTTPHeader: Sendable, Equatable {
    /// As written; names are compared without regard to case.
    public var name: String
    /// Without surrounding white space.
    public var value: String

    /// Keeps both as they are; a request with line breaks in either is refused when sent.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A request; sent by ``TransferClient/send(_:)``.
public struct HTTPRequest: Sendable {
    /// Any method of HTTP, in capitals.
    public var method: String
    /// Absolute, `http` or `https`, with everything in the query percent-encoded, without user name.
    public var url: String
    /// In this order; `Content-Length`, `Host` and `Accept-Encoding` are added where absent.
    public var headers: [HTTPHeader]
    /// `nil` for no body.
    public var body: [UInt8]?
    /// Seconds for all of it, waiting for a free connection included.
    public var timeoutSeconds: Double
    /// Sent as Basic authentication (RFC 7617) to this host only.
    public var basicCredentials: Credentials?
    /// A longer body (after decompression) is ``TransferError/tooLarge(limit:)``.
    public var maximumResponseBytes: Int
    /// Whether the request may be sent a second time when a pooled connection turns out to be dead after the first
    /// sending. `nil`: yes for GET, HEAD and OPTIONS, no for all else, which then fails as
    /// ``TransferError/connectionLost(host:requestSent:)`` and leaves the choice to the caller.
    public var mayBeResent: Bool?
    /// PEM file of trusted authorities, in place of the client's.
    public var caFile: String?

    /// - Parameters:
    ///   - timeoutSeconds: More than 0.
    ///   - maximumResponseBytes: 0 or more; 16 MiB unless told.
    public init(
        method: String = "GET", url: String, headers: [HTTPHeader] = [], body: [UInt8]? = nil,
        timeoutSeconds: Double = 30, basicCredentials: Credentials? = nil,
        maximumResponseBytes: Int = 16 * 1024 * 1024, mayBeResent: Bool? = nil, caFile: String? = nil
    ) {
        precondition(timeoutSeconds > 0 && maximumResponseBytes >= 0, "a request needs some time and a limit")
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutSeconds = timeoutSeconds
        self.basicCredentials = basicCredentials
        self.maximumResponseBytes = maximumResponseBytes
        self.mayBeResent = mayBeResent
        self.caFile = caFile
    }
}

/// What a server answered, whatever the status.
public struct HTTPResponse: Sendable, Equatable {
    /// 200 to 599.
    public var status: Int
    /// In the order received.
    public var headers: [HTTPHeader]
    /// Decompressed.
    public var body: [UInt8]

    /// For tests and simulators; the client makes its own.
    public init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of this name, in any case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.utf8.elementsEqualIgnoringCase(name.utf8) }?.value
    }
}

extension Sequence<UInt8> {
    /// Compares as ASCII without regard to case.
    func elementsEqualIgnoringCase(_ other: some Sequence<UInt8>) -> Bool {
        elementsEqual(other) { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    /// The small letter of a capital one; anything else unchanged.
    var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
