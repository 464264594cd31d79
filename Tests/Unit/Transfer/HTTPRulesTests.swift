import Testing

@testable import Transfer

@Suite("HTTP messages")
struct HTTPRulesTests {
    @Test func headersAreReadFromTheHeadAsReceived() {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type:text/plain \r\nSet-Cookie: a=b: c\r\nX-Empty:\r\n"
            + "X-Long: one\r\n  two\r\nno header\r\n: nameless\r\n\r\n"
        #expect(
            HTTPRules.headers(in: Array(head.utf8)) == [
                HTTPHeader("Content-Type", "text/plain"), HTTPHeader("Set-Cookie", "a=b: c"), HTTPHeader("X-Empty", ""),
                HTTPHeader("X-Long", "one two"),
            ])
        #expect(HTTPRules.headers(in: []) == [])
    }

    @Test func headerNamesAreFoundInAnyCaseAndTheFirstCounts() {
        let response = HTTPResponse(
            status: 200, headers: [HTTPHeader("Retry-After", "5"), HTTPHeader("retry-after", "6")])
        #expect(response.header("RETRY-AFTER") == "5" && response.header("Retry") == nil)
    }

    @Test(arguments: ["", "GE T", "GET\r\n", "GÉT", "G(T"])
    func aMethodThatIsNoTokenIsRefused(_ method: String) {
        #expect(throws: TransferError.invalidRequest(reason: "the method is no token")) {
            try HTTPRules.check(HTTPRequest(method: method, url: "http://h/"))
        }
    }

    @Test(arguments: [
        HTTPHeader("X", "a\r\nY: b"), HTTPHeader("X", "a\nb"), HTTPHeader("X", "a\0b"), HTTPHeader("X\r\nY", "b"),
        HTTPHeader("X: Y", "b"), HTTPHeader("", "b"),
    ])
    func aHeaderThatWouldBeginAnotherIsRefused(_ header: HTTPHeader) {
        #expect(throws: TransferError.self) { try HTTPRules.check(HTTPRequest(url: "http://h/", headers: [header])) }
    }

    @Test func aUserNameWithColonIsRefusedForItWouldMoveIntoThePassword() {
        let request = HTTPRequest(url: "http://h/", basicCredentials: Credentials(user: "a:b", password: "c"))
        #expect(throws: TransferError.self) { try HTTPRules.check(request) }
    }

    @Test func noHeaderIsInventedForABody() {
        var request = HTTPRequest(method: "POST", url: "http://h/", headers: [HTTPHeader("X-Empty", "")], body: [1])
        #expect(
            HTTPRules.lines(of: request, userAgent: "u") == ["X-Empty;", "User-Agent: u", "Content-Type:", "Expect:"])
        request.headers = [HTTPHeader("content-type", "a/b"), HTTPHeader("user-agent", "v")]
        #expect(HTTPRules.lines(of: request, userAgent: "u") == ["content-type: a/b", "user-agent: v", "Expect:"])
    }

    @Test func onlyGetHeadAndOptionsAreResentUnlessTheCallerDecides() throws {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"] {
            var request = HTTPRequest(method: method, url: "http://h/")
            let byDefault = try TransferPlan(request, options: TransferOptions()).mayBeResent
            #expect(byDefault == ["GET", "HEAD", "OPTIONS"].contains(method))
            request.mayBeResent = !byDefault
            #expect(try TransferPlan(request, options: TransferOptions()).mayBeResent != byDefault)
        }
    }
}

@Suite("URLs")
struct URLTests {
    @Test func theHostAndPortAreThoseThatLibcurlWillUse() throws {
        #expect(try URLParts(parsing: "https://shop.example/a?b=c").port == 443)
        #expect(try URLParts(parsing: "HTTP://Shop.example:8080").host == "Shop.example")
        #expect(try URLParts(parsing: "http://[::1]:81/").host == "[::1]")
    }

    @Test(arguments: [
        "", "shop.example", "/a", "ftp://h/", "file:///etc/passwd", "http://", "http://h:99999/", "http://h/a b",
        "http://h/\r\nX: y", "http://user@h/", "http://user:secret@h/", "http://h/ồ",
    ])
    func whatIsNoPlainHTTPURLIsRefusedWithoutRepeatingIt(_ url: String) {
        let error = #expect(throws: TransferError.self) { try URLParts(parsing: url) }
        #expect(error?.label == "invalid_url" && error?.description.contains("secret") == false)
    }

    @Test func pathsAreEncodedSoThatNothingInThemHasAMeaning() {
        let strange = "/a b/ồ?x#y;type=a%41"
        let encoded = "a%20b/%E1%BB%93%3Fx%23y%3Btype%3Da%2541"
        let sftp = RemoteSite(scheme: .sftp, host: "h")
        #expect(RemoteURL.url(sftp, strange) == "sftp://h:22/" + encoded)
        #expect(RemoteURL.url(sftp, "a", isDirectory: true) == "sftp://h:22/~/a/")
        #expect(RemoteURL.url(sftp, "", isDirectory: true) == "sftp://h:22/~/")
        #expect(RemoteURL.url(sftp, "/", isDirectory: true) == "sftp://h:22/")
        let ftp = RemoteSite(scheme: .ftp, host: "::1")
        #expect(RemoteURL.url(ftp, strange) == "ftp://[::1]:21/%2F" + encoded)
        #expect(RemoteURL.url(ftp, "/", isDirectory: true) == "ftp://[::1]:21/%2F")
        #expect(RemoteURL.url(ftp, "a/b", isDirectory: true) == "ftp://[::1]:21/a/b/")
    }

    @Test func tlsBeginsWithTheFirstByteOnPort990Only() {
        #expect(RemoteURL.root(RemoteSite(scheme: .ftps, host: "h")) == "ftp://h:21")
        #expect(RemoteURL.root(RemoteSite(scheme: .ftps, host: "h", port: 990)) == "ftps://h:990")
    }

    @Test func argumentsOfCommandsAreQuoted() {
        #expect(RemoteURL.quoted("a \"b\\") == "\"a \\\"b\\\\\"")
    }

    @Test(arguments: ["a\r\nDELE b", "a\0b", "a\u{7F}"])
    func aPathWithControlCharactersIsRefused(_ path: String) {
        #expect(throws: TransferError.self) { try RemoteURL.check(RemoteSite(scheme: .ftp, host: "h"), path) }
    }

    @Test(arguments: ["", "h/x", "u@h", "h?x", "h h"])
    func aHostThatIsNoneIsRefused(_ host: String) {
        #expect(throws: TransferError.self) { try RemoteURL.check(RemoteSite(scheme: .sftp, host: host), "/") }
    }
}
