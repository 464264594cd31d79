internal import CCurl

extension TransferPlan {
    /// The plan of one HTTP request.
    init(_ request: HTTPRequest, options: TransferOptions) throws(TransferError) {
        let parts = try URLParts(parsing: request.url)
        try HTTPRules.check(request)
        self.init(
            kind: .http, url: request.url, host: parts.host, port: parts.port,
            maximumBytes: request.maximumResponseBytes, options: options)
        timeoutSeconds = request.timeoutSeconds
        mayBeResent = request.mayBeResent ?? ["GET", "HEAD", "OPTIONS"].contains(request.method)
        verifyTLS(caFile: request.caFile ?? options.caFile)
        self.options += [
            .number(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)),
            .number(CURLOPT_FOLLOWLOCATION, 0),
            .number(CURLOPT_BUFFERSIZE, 64 * 1024),
            .list(CURLOPT_HTTPHEADER, HTTPRules.lines(of: request, userAgent: options.userAgent)),
        ]
        if request.headers.allSatisfy({ !$0.name.utf8.elementsEqualIgnoringCase("accept-encoding".utf8) }) {
            self.options.append(.text(CURLOPT_ACCEPT_ENCODING, ""))  // all that this libcurl can decompress
        }
        if let credentials = request.basicCredentials {
            user = credentials.user
            self.options += [
                .number(CURLOPT_HTTPAUTH, Int(HTTPRules.basic)),
                .text(CURLOPT_USERNAME, credentials.user), .text(CURLOPT_PASSWORD, credentials.password),
            ]
        }
        setMethod(request)
    }

    private mutating func setMethod(_ request: HTTPRequest) {
        switch (request.method, request.body) {
        case ("GET", nil): options.append(.number(CURLOPT_HTTPGET, 1))
        case ("HEAD", _): options.append(.number(CURLOPT_NOBODY, 1))
        case ("POST", let body), ("PUT", let body), ("PATCH", let body):
            // These announce their length even when it is 0 (RFC 9110, 8.6).
            postBody = body ?? []
            options.append(.text(CURLOPT_CUSTOMREQUEST, request.method))
        case (let method, let body):
            postBody = body
            options.append(.text(CURLOPT_CUSTOMREQUEST, method))
        }
    }
}

/// What an HTTP message must look like (RFC 9110 and 9112).
enum HTTPRules {
    /// `CURLAUTH_BASIC`, a macro that Swift does not see.
    static let basic: UInt = 1

    static func check(_ request: HTTPRequest) throws(TransferError) {
        guard isToken(request.method) else { throw .invalidRequest(reason: "the method is no token") }
        for header in request.headers {
            guard isToken(header.name) else { throw .invalidRequest(reason: "a header's name is no token") }
            guard header.value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
                throw .invalidRequest(reason: "the header \(header.name) holds a control character")
            }
        }
        let credentials = request.basicCredentials
        guard credentials?.user.contains(":") != true else {
            throw .invalidRequest(reason: "a user name of Basic authentication holds a colon")
        }
        guard credentials.map({ ($0.user + $0.password).utf8.contains(0) }) != true else {
            throw .invalidRequest(reason: "the credentials hold a zero byte")
        }
    }

    /// RFC 9110, 5.6.2.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// The header lines in libcurl's notation, in which `Name;` is a header without value and `Name:` removes one.
    static func lines(of request: HTTPRequest, userAgent: String) -> [String] {
        var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        func has(_ name: String) -> Bool {
            request.headers.contains { $0.name.utf8.elementsEqualIgnoringCase(name.utf8) }
        }
        if !has("User-Agent") { lines.append("User-Agent: \(userAgent)") }
        if request.body != nil {
            // libcurl would claim that any body is a form, and hold back long ones until the server agrees.
            if !has("Content-Type") { lines.append("Content-Type:") }
            if !has("Expect") { lines.append("Expect:") }
        }
        return lines
    }

    /// The headers in a head as received. Lines that are no headers are left out; continuation lines are joined.
    static func headers(in head: [UInt8]) -> [HTTPHeader] {
        var headers: [HTTPHeader] = []
        for line in head.split(separator: 0x0A).dropFirst() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.first == 0x20 || line.first == 0x09 {
                guard let last = headers.indices.last else { continue }
                headers[last].value += " " + trimmed(line)
            } else if let colon = line.firstIndex(of: 0x3A), colon > line.startIndex {
                let name = String(decoding: line[..<colon], as: UTF8.self)
                headers.append(HTTPHeader(name, trimmed(line[line.index(after: colon)...])))
            }
        }
        return headers
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
