import Foundation
import Testing
import Transfer

@Suite("HTTP against a real server", .serialized)
struct HTTPTests {
    private struct Echo: Decodable {
        var method: String
        var headers: [[String]]
        var body: String
        var query: String

        func header(_ name: String) -> [String] { headers.filter { $0[0].lowercased() == name }.map { $0[1] } }
    }

    private struct Counts: Decodable {
        var connections: Int
        var requests: Int
        var reused: Int
        var never: Int
    }

    private static func counts(_ client: TransferClient, _ base: String) async throws -> Counts {
        let response = try await client.send(HTTPRequest(url: "\(base)/counts"))
        return try JSONDecoder().decode(Counts.self, from: Data(response.body))
    }

    private func withHTTP(
        _ options: TransferOptions = TransferOptions(),
        _ body: (TransferClient, _ base: String, ChildServer) async throws -> Void
    ) async throws {
        try await withServer("http_server.py") { (server) async throws in try await use(server, options, body) }
    }

    /// With a server whose counters begin at 0.
    private func withFreshHTTP(
        _ options: TransferOptions = TransferOptions(),
        _ body: (TransferClient, _ base: String, ChildServer) async throws -> Void
    ) async throws {
        try await withOwnServer("http_server.py") { (server) async throws in try await use(server, options, body) }
    }

    private func use(
        _ server: ChildServer, _ options: TransferOptions,
        _ body: (TransferClient, _ base: String, ChildServer) async throws -> Void
    ) async throws {
        let client = TransferClient(options: options)
        defer { client.close() }
        try await body(client, "http://127.0.0.1:\(server.port())", server)
    }

    private func echo(_ client: TransferClient, _ request: HTTPRequest) async throws -> Echo {
        let response = try await client.send(request)
        #expect(response.status == 200)
        return try JSONDecoder().decode(Echo.self, from: Data(response.body))
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    func everyMethodArrivesWithHeadersAndBody(_ method: String) async throws {
        try await withHTTP { (client, base, _) async throws in
            let body = method == "GET" || method == "OPTIONS" ? nil : Array("số lượng=5".utf8)
            let request = HTTPRequest(
                method: method, url: "\(base)/echo?a=%20b",
                headers: [HTTPHeader("X-Empty", ""), HTTPHeader("X-One", "1")],
                body: body)
            let echo = try await echo(client, request)
            #expect(echo.method == method && echo.query == "a=%20b")
            #expect(echo.body == (body == nil ? "" : "số lượng=5"))
            #expect(echo.header("x-empty") == [""] && echo.header("x-one") == ["1"])
            #expect(echo.header("user-agent") == ["stockbridge"])
            #expect(echo.header("content-type").isEmpty && echo.header("expect").isEmpty)
            #expect(echo.header("content-length") == (body.map { ["\($0.count)"] } ?? []))
        }
    }

    @Test func aLongBodyIsSentWithoutAskingFirst() async throws {
        try await withHTTP { (client, base, _) async throws in
            let body = [UInt8](repeating: 0x61, count: 3_000_000)
            let echo = try await echo(client, HTTPRequest(method: "POST", url: "\(base)/echo", body: body))
            #expect(echo.body.utf8.count == body.count)
        }
    }

    @Test func aPostWithoutBodySaysSo() async throws {
        try await withHTTP { (client, base, _) async throws in
            let echo = try await echo(client, HTTPRequest(method: "POST", url: "\(base)/echo"))
            #expect(echo.header("content-length") == ["0"])
        }
    }

    @Test func headersOfTheResponseAreFoundInAnyCase() async throws {
        try await withHTTP { (client, base, _) async throws in
            let response = try await client.send(HTTPRequest(url: "\(base)/echo"))
            #expect(response.header("content-TYPE") == "application/json")
            #expect(response.headers.filter { $0.name == "X-Twice" }.map(\.value) == ["a", "b"])
        }
    }

    @Test func aHeadHasALengthAndNoBody() async throws {
        try await withHTTP { (client, base, server) async throws in
            let response = try await client.send(HTTPRequest(method: "HEAD", url: "\(base)/file"))
            #expect(response.header("content-length") == server["size"] && response.body.isEmpty)
        }
    }

    @Test(arguments: [204, 302, 401, 404, 429, 500, 503])
    func anyStatusIsAResponseAndRedirectsAreNotFollowed(_ status: Int) async throws {
        try await withFreshHTTP { (client, base, _) async throws in
            #expect(try await client.send(HTTPRequest(url: "\(base)/status/\(status)")).status == status)
            let counts = try await Self.counts(client, base)
            #expect(counts.requests == 2)
        }
    }

    @Test func basicCredentialsArriveInUTF8() async throws {
        try await withHTTP { (client, base, _) async throws in
            var request = HTTPRequest(url: "\(base)/auth")
            #expect(try await client.send(request).status == 401)
            request.basicCredentials = Credentials(user: "người dùng", password: "bí mật")
            #expect(try await client.send(request).status == 200)
            #expect("\(request)".contains("bí mật") == false)
        }
    }

    @Test func twentyRequestsShareOneConnection() async throws {
        try await withFreshHTTP { (client, base, _) async throws in
            for number in 0..<20 {
                let request = HTTPRequest(method: "POST", url: "\(base)/ok", body: Array("\(number)".utf8))
                #expect(try await client.send(request).body == Array("ok".utf8))
            }
            let counts = try await Self.counts(client, base)
            #expect(counts.connections == 1 && counts.requests == 21)
        }
    }

    @Test func noMoreConnectionsAreOpenedThanAllowed() async throws {
        try await withFreshHTTP(TransferOptions(maxConnectionsPerHost: 4)) { (client, base, _) async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<60 {
                    group.addTask { try await client.send(HTTPRequest(url: "\(base)/ok")).status }
                }
                for try await status in group { #expect(status == 200) }
            }
            let counts = try await Self.counts(client, base)
            #expect((1...4).contains(counts.connections) && counts.requests == 61)
        }
    }

    @Test func timeThatRunsOutBeforeTheRequestWasSentSaysSo() async throws {
        try await withHTTP { (client, _, server) async throws in
            let url = "https://127.0.0.1:\(server.port("silent_port"))/"
            await #expect(throws: TransferError.timedOut(host: "127.0.0.1", requestSent: false)) {
                try await client.send(HTTPRequest(method: "POST", url: url, body: [1], timeoutSeconds: 0.3))
            }
        }
    }

    @Test func timeThatRunsOutAfterTheRequestWasSentSaysSo() async throws {
        try await withHTTP { (client, base, _) async throws in
            await #expect(throws: TransferError.timedOut(host: "127.0.0.1", requestSent: true)) {
                try await client.send(HTTPRequest(method: "POST", url: "\(base)/never", body: [1], timeoutSeconds: 0.3))
            }
        }
    }

    @Test func timeThatRunsOutWaitingForAConnectionSaysSo() async throws {
        try await withFreshHTTP(TransferOptions(maxConnectionsPerHost: 1)) { (client, base, _) async throws in
            let first = Task { try await client.send(HTTPRequest(url: "\(base)/never", timeoutSeconds: 20)) }
            try await untilStuck(base)
            await #expect(throws: TransferError.timedOut(host: "127.0.0.1", requestSent: false)) {
                try await client.send(HTTPRequest(method: "POST", url: "\(base)/ok", body: [1], timeoutSeconds: 0.2))
            }
            first.cancel()
            await #expect(throws: TransferError.cancelled(requestSent: true)) { try await first.value }
            #expect(try await client.send(HTTPRequest(url: "\(base)/ok")).status == 200)
        }
    }

    /// Waits until the server has a request that it will never answer.
    private func untilStuck(_ base: String) async throws {
        let client = TransferClient()
        defer { client.close() }
        while try await Self.counts(client, base).never == 0 { await Task.yield() }
    }

    @Test func aConnectionResetAmidTheAnswerIsLostAfterSending() async throws {
        try await withHTTP { (client, base, _) async throws in
            await #expect(throws: TransferError.connectionLost(host: "127.0.0.1", requestSent: true)) {
                try await client.send(HTTPRequest(method: "POST", url: "\(base)/reset", body: [1]))
            }
        }
    }

    @Test func aServerThatIsNotThereIsUnreachable() async throws {
        let client = TransferClient()
        defer { client.close() }
        let error = await #expect(throws: TransferError.self) {
            try await client.send(HTTPRequest(url: "http://127.0.0.1:1/"))
        }
        guard case .unreachable(host: "127.0.0.1", _)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(error?.requestSent == false)
    }

    @Test func aNameWithoutAddressIsUnresolvable() async throws {
        let client = TransferClient()
        defer { client.close() }
        await #expect(throws: TransferError.unresolvable(host: "nowhere.invalid")) {
            try await client.send(HTTPRequest(url: "https://nowhere.invalid/"))
        }
    }

    @Test(arguments: ["large", "unannounced"])
    func anAnswerBeyondTheLimitIsDropped(_ path: String) async throws {
        try await withHTTP { (client, base, _) async throws in
            let within = HTTPRequest(url: "\(base)/\(path)?1000", maximumResponseBytes: 1000)
            #expect(try await client.send(within).body.count == 1000)
            await #expect(throws: TransferError.tooLarge(limit: 1000)) {
                try await client.send(HTTPRequest(url: "\(base)/\(path)?1001", maximumResponseBytes: 1000))
            }
        }
    }

    @Test func aPostIsNotRepeatedWhenAPooledConnectionDies() async throws {
        try await withFreshHTTP { (client, base, _) async throws in
            let post = HTTPRequest(method: "POST", url: "\(base)/dies-when-reused", body: [1])
            #expect(try await client.send(post).status == 200)
            await #expect(throws: TransferError.connectionLost(host: "127.0.0.1", requestSent: true)) {
                try await client.send(post)
            }
            #expect(try await Self.counts(client, base).reused == 2)
        }
    }

    @Test func aGetIsRepeatedWhenAPooledConnectionDies() async throws {
        try await withFreshHTTP { (client, base, _) async throws in
            let get = HTTPRequest(url: "\(base)/dies-when-reused")
            #expect(try await client.send(get).status == 200)
            #expect(try await client.send(get).status == 200)
            #expect(try await Self.counts(client, base).reused == 3)
        }
    }

    @Test func aCertificateOfAnUnknownAuthorityIsRejectedAndOfANamedOneAccepted() async throws {
        try await withHTTP { (client, _, server) async throws in
            var request = HTTPRequest(url: "https://localhost:\(server.port("tls_port"))/ok")
            let error = await #expect(throws: TransferError.self) { try await client.send(request) }
            #expect(error?.label == "tls_rejected" && error?.requestSent == false)
            request.caFile = server["ca"]
            #expect(try await client.send(request).status == 200)
            request.caFile = nil
            let again = await #expect(throws: TransferError.self) { try await client.send(request) }
            #expect(again?.label == "tls_rejected", "a pooled connection must not vouch for the certificate")
        }
    }

    @Test func aCancelledTaskEndsItsRequest() async throws {
        try await withFreshHTTP { (client, base, _) async throws in
            let task = Task { try await client.send(HTTPRequest(url: "\(base)/never")) }
            try await untilStuck(base)
            task.cancel()
            await #expect(throws: TransferError.cancelled(requestSent: true)) { try await task.value }
        }
    }

    @Test func aClosedClientEndsWhatRunsAndRefusesTheRest() async throws {
        try await withFreshHTTP { (client, base, _) async throws in
            let task = Task { try await client.send(HTTPRequest(url: "\(base)/never")) }
            try await untilStuck(base)
            client.close()
            await #expect(throws: TransferError.clientClosed) { try await task.value }
            await #expect(throws: TransferError.clientClosed) { try await client.send(HTTPRequest(url: "\(base)/ok")) }
        }
    }
}
