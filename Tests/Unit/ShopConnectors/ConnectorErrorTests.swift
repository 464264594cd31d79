import Domain
import Testing
import Transfer

@testable import ShopConnectors

@Suite("What may be done about a connector's error")
struct ConnectorErrorTests {
    private static let read = ShopCall(shop: "hanoi", action: .readStock)
    private static let write = ShopCall(shop: "hanoi", action: .writeStock)

    private static func all(_ call: ShopCall) -> [ConnectorError] {
        let answer = UnexpectedAnswer(status: 200, contentType: nil, bytes: 0, beginning: "", problem: "empty")
        return [
            .unauthorized(call, code: nil), .forbidden(call, code: nil), .throttled(call, retryAfterSeconds: 3),
            .unavailable(call, status: 502, retryAfterSeconds: nil), .malformedAnswer(call, answer),
            .timedOut(call, maybeApplied: true), .unreachable(call, detail: "refused"),
            .certificateRejected(call, detail: "expired"), .connectionLost(call, maybeApplied: true),
            .cancelled(call, maybeApplied: true), .refused(call, status: 400, code: "c", message: "m"),
            .batchTooLarge(call, items: 100), .answerTooLarge(call, limitBytes: 9),
            .unsupported(call, capability: "prices"), .notPaced(call, .cancelled), .invalidCall(call, detail: "d"),
        ]
    }

    @Test(arguments: [.infinity, .nan, 1e300] as [Double])
    func `a wait beyond all sense is still a sentence`(seconds: Double) {
        let call = ShopCall(shop: "hanoi", action: .readOrders)
        #expect("\(ConnectorError.throttled(call, retryAfterSeconds: seconds))".contains("asks to wait 2147483647 s"))
        #expect("\(ConnectorError.notPaced(call, .tooLong(waitSeconds: seconds)))".contains("2147483647 s away"))
    }

    @Test func `only connections, time-outs, 5xx and 429 speak for an outage`() {
        let outages = Self.all(Self.write).filter(\.countsAsOutage).map(\.label)
        #expect(
            outages == [
                "throttled", "unavailable", "timed_out", "unreachable", "certificate_rejected", "connection_lost",
            ])
        #expect(!ConnectorError.unavailable(Self.read, status: 408, retryAfterSeconds: nil).countsAsOutage)
    }

    @Test func `reading never changes anything, writing may have`() {
        #expect(!Self.all(Self.read).contains { $0.mayHaveBeenApplied })
        let uncertain = Self.all(Self.write).filter(\.mayHaveBeenApplied).map(\.label)
        #expect(
            uncertain == [
                "unavailable", "malformed_answer", "timed_out", "connection_lost", "cancelled", "answer_too_large",
            ])
        #expect(!ConnectorError.timedOut(Self.write, maybeApplied: false).mayHaveBeenApplied)
    }

    @Test func `each is a sentence that names the shop and what to do`() {
        for error in Self.all(Self.write) {
            #expect("\(error)".hasPrefix("Shop hanoi, writing stock: "))
            #expect("\(error)".hasSuffix("."))
            #expect(!"\(error)".contains(".."), "\(error)")
        }
        #expect(Set(Self.all(Self.write).map(\.label)).count == Self.all(Self.write).count)
    }

    @Test(
        arguments: [
            (.unresolvable(host: "h"), "unreachable", false),
            (.unreachable(host: "h", detail: "d"), "unreachable", false),
            (.tlsRejected(host: "h", detail: "d"), "certificate_rejected", false),
            (.timedOut(host: "h", requestSent: true), "timed_out", true),
            (.timedOut(host: "h", requestSent: false), "timed_out", false),
            (.connectionLost(host: "h", requestSent: true), "connection_lost", true),
            (.failed(host: "h", code: 92, detail: "d", requestSent: true), "connection_lost", true),
            (.tooLarge(limit: 9), "answer_too_large", true), (.cancelled(requestSent: true), "cancelled", true),
            (.clientClosed, "cancelled", false), (.invalidURL(reason: "r"), "invalid_call", false),
        ] as [(TransferError, String, Bool)])
    func `a failed transfer keeps whether the request was sent`(
        error: TransferError, label: String, maybeApplied: Bool
    ) async throws {
        let http = ScriptedHTTP { (_) throws(TransferError) in throw error }
        let stock = WooCommerceStock(client: client(http))
        let failure = await #expect(throws: ConnectorError.self) {
            _ = try await stock.write([StockWrite(id: "1", quantity: 1)])
        }
        #expect(failure?.label == label && failure?.mayHaveBeenApplied == maybeApplied)
        #expect(http.sent.count == 1, "nothing is repeated")
    }

    @Test func `an answer that could not be understood is no outage for the pace either`() {
        #expect(!PaceFeedback(outcome: .answered(status: 200)).countsAsOutage)
        #expect(!PaceFeedback(outcome: .notSent).countsAsOutage)
        #expect(PaceFeedback(outcome: .answered(status: 429)).countsAsOutage)
        #expect(PaceFeedback(outcome: .answered(status: 503)).countsAsOutage)
        #expect(PaceFeedback(outcome: .failed(timedOut: true)).countsAsOutage)
    }
}
