/// Transfers over HTTP, SFTP, FTP(S) and SMTP with libcurl.
///
/// HTTP runs on one thread with one libcurl multi handle, files and mail on another, so that a slow disk, parser or
/// mail server behind the second never delays a request on the first. Connections are pooled and reused, HTTP/2 is
/// spoken where a TLS server offers it. Nothing blocks the threads of Swift's concurrency pool. Cancelling the task
/// that waits ends its transfer at once.
///
/// - Important: Clients are meant to live long: each has its own connections. Dropping the last reference closes it.
public final class TransferClient: Sendable {
    let options: TransferOptions
    private let web: TransferEngine
    private let files: TransferEngine

    /// Starts both threads.
    public init(options: TransferOptions = TransferOptions()) {
        self.options = options
        web = TransferEngine(name: "transfer-http", options: options)
        files = TransferEngine(name: "transfer-files", options: options)
    }

    /// Ends all transfers with ``TransferError/clientClosed``, closes the connections and lets the threads go.
    public func close() {
        web.close()
        files.close()
    }

    /// Closes, and returns once both threads have freed what they had of libcurl, at the latest after three seconds: a
    /// process that exits meanwhile takes the TLS library away under them.
    public func closeAndWait() async {
        close()
        for _ in 0..<300 where !(web.isGone && files.isGone) {
            // Cancelled or not, it is waited for.
            await Task.detached { try? await Task.sleep(for: .milliseconds(10)) }.value
        }
    }

    /// Sends one HTTP request and returns what the server answers, whatever the status.
    ///
    /// Redirects are not followed: credentials never travel to another host. Only TLS 1.2 and newer is spoken, and
    /// certificates are always verified. Which failures leave open whether the server has acted is told by
    /// ``TransferError/requestSent``.
    public func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
        let plan = try TransferPlan(request, options: options)
        switch await web.run(plan) {
        case .success(let answer):
            return HTTPResponse(status: answer.status, headers: HTTPRules.headers(in: answer.head), body: answer.body)
        case .failure(let failure): throw TransferError(failure, plan)
        }
    }

    /// Runs a plan of files or mail; failures of the sink are passed on as they were thrown.
    func runPassingOn(_ plan: TransferPlan) async throws -> TransferAnswer {
        switch await files.run(plan) {
        case .success(let answer): return answer
        case .failure(let failure):
            if case .sink(let error) = failure.reason { throw error }
            throw TransferError(failure, plan)
        }
    }

    /// Runs a plan of files or mail that has no sink.
    func run(_ plan: TransferPlan) async throws(TransferError) -> TransferAnswer {
        switch await files.run(plan) {
        case .success(let answer): return answer
        case .failure(let failure): throw TransferError(failure, plan)
        }
    }
}
