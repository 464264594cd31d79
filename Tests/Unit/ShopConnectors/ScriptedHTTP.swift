import Concurrency
import Domain
import Foundation
import Synchronization
import Transfer

@testable import ShopConnectors

/// Answers requests from a script, and keeps them.
final class ScriptedHTTP: HTTPSending {
    private let requests = Mutex<[HTTPRequest]>([])
    let script: @Sendable (HTTPRequest) throws(TransferError) -> HTTPResponse

    init(_ script: @escaping @Sendable (HTTPRequest) throws(TransferError) -> HTTPResponse) { self.script = script }

    var sent: [HTTPRequest] { requests.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
        requests.withLock { $0.append(request) }
        return try script(request)
    }
}

/// An answer with a JSON body.
func json(_ text: String, status: Int = 200, _ headers: [HTTPHeader] = []) -> HTTPResponse {
    HTTPResponse(
        status: status, headers: [HTTPHeader("Content-Type", "application/json")] + headers, body: Array(text.utf8))
}

/// A client to a shop that answers from a script, at a fixed time.
func client(
    _ http: ScriptedHTTP, url: String = "https://shop.example", pacing: any CallPacing = UnlimitedPacing()
) -> WooCommerceClient {
    WooCommerceClient(
        configuration: WooCommerceConfiguration(shop: "hanoi", url: url, key: "ck_key1", secret: "cs_secret1"),
        http: http, pacing: pacing, clock: WallClock { Date(timeIntervalSince1970: 1_800_000_000) },
        nonce: { "n0nce" })
}
