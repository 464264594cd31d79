public import Transfer

/// Sends one HTTP request and hands back the answer, whatever its status. Redirects are not followed.
///
/// The seam between connectors and the network: ``Transfer/TransferClient`` in the services, a script of answers in
/// unit tests.
public protocol HTTPSending: Sendable {
    /// Sends `request` once; never repeats it.
    func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse
}

extension TransferClient: HTTPSending {}
