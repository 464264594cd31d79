internal import CCurl

/// The parts of an HTTP URL that matter before it is used, as libcurl itself reads them.
struct URLParts: Equatable {
    var scheme: String
    var host: String
    var port: Int

    /// Accepts what ``HTTPRequest/url`` documents; the reason of an error never repeats the URL, whose query may hold
    /// keys.
    init(parsing text: String) throws(TransferError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidURL(reason: "it holds a space, a control character or a letter outside ASCII")
        }
        guard let handle = curl_url() else { throw .invalidURL(reason: "memory is short") }
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, text, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK else {
            throw .invalidURL(reason: "it does not read as scheme://host/path")
        }
        func part(_ part: CURLUPart, _ flags: Int32 = 0) -> String? {
            var value: UnsafeMutablePointer<CChar>?
            guard curl_url_get(handle, part, &value, UInt32(flags)) == CURLUE_OK, let value else { return nil }
            defer { curl_free(value) }
            return String(cString: value)
        }
        guard let scheme = part(CURLUPART_SCHEME)?.lowercased(), scheme == "http" || scheme == "https" else {
            throw .invalidURL(reason: "it is neither http nor https")
        }
        guard part(CURLUPART_USER) == nil, part(CURLUPART_PASSWORD) == nil else {
            throw .invalidURL(reason: "it holds a user name or password, which belong into the credentials")
        }
        guard let host = part(CURLUPART_HOST), !host.isEmpty,
            let port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT).flatMap({ Int($0) })
        else { throw .invalidURL(reason: "it names no host") }
        (self.scheme, self.host, self.port) = (scheme, host, port)
    }
}

/// Percent-encoding (RFC 3986, 2.1).
enum PercentEncoding {
    private static let hex = Array("0123456789ABCDEF".utf8)

    /// Everything but the unreserved characters, and `/` where `keepingSlashes`, becomes `%XX`.
    static func encode(_ text: String, keepingSlashes: Bool = false) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            case 0x2F where keepingSlashes: bytes.append(byte)
            default: bytes += [0x25, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
