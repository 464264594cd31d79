import Domain
import ShopConnectors
import ShopSimulators
import Testing

@Suite("Every connector says what went wrong")
struct FailureContractTests {
    private static let write = [StockWrite(id: "10", quantity: 77)]

    @Test(arguments: ShopKind.allCases)
    func `each refusal of the shop has its own error`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            let call = ShopCall(shop: "hanoi", action: .writeStock)
            func failing(_ fault: Fault) async -> ConnectorError? {
                shop.simulator.inject(fault)
                return await connectorError { _ = try await writer.write(Self.write) }
            }
            #expect(
                await failing(Fault(.status, times: 1, status: 401))
                    == .unauthorized(call, code: "woocommerce_rest_authentication_error"))
            #expect(
                await failing(Fault(.status, times: 1, status: 403))
                    == .forbidden(call, code: "woocommerce_rest_cannot_edit"))
            #expect(
                await failing(Fault(.status, times: 1, status: 429, retryAfter: "7"))
                    == .throttled(call, retryAfterSeconds: 7))
            #expect(
                await failing(Fault(.status, times: 1, status: 500))
                    == .unavailable(call, status: 500, retryAfterSeconds: nil))
            #expect(
                await failing(Fault(.status, times: 1, status: 503, retryAfter: "120"))
                    == .unavailable(call, status: 503, retryAfterSeconds: 120))
            #expect(await failing(Fault(.status, times: 1, status: 413)) == .batchTooLarge(call, items: 1))
            #expect(shop.simulator.stock(of: "10") == 5, "none of them did anything")
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `HTML in place of JSON is malformed and no outage`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.html, times: 1))
            let error = await connectorError { _ = try await writer.write(Self.write) }
            guard case .malformedAnswer(_, let answer) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(answer.contentType == "text/html; charset=UTF-8" && answer.beginning.hasPrefix("<!DOCTYPE html>"))
            #expect(error?.countsAsOutage == false && error?.disposition == .transient)
            #expect(error?.mayHaveBeenApplied == true, "what answered 200 may have passed the request on")
            let reader = try await shop.reader()
            shop.simulator.inject(Fault(.html, times: 1))
            let reading = await connectorError { _ = try await reader.read(["10"]) }
            #expect(reading?.label == "malformed_answer" && reading?.mayHaveBeenApplied == false)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `JSON that is cut off is malformed, and the write may have been applied`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.malformedJSON, times: 1))
            let error = await connectorError { _ = try await writer.write(Self.write) }
            #expect(error?.label == "malformed_answer" && error?.mayHaveBeenApplied == true)
            #expect(shop.simulator.stock(of: "10") == 77)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `an answer that never comes after the write is reported as perhaps applied`(kind: ShopKind) async throws {
        try await withShop(kind, timeoutSeconds: 3) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.lostAnswer, times: 1))
            let timedOut = await connectorError { _ = try await writer.write(Self.write) }
            #expect(timedOut == .timedOut(ShopCall(shop: "hanoi", action: .writeStock), maybeApplied: true))
            #expect(shop.simulator.journal.map(\.after) == [77], "the connector repeated nothing")
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `an answer cut off after the write is reported as perhaps applied`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.lostAnswer, times: 1, holdMilliseconds: 0))
            let cut = await connectorError { _ = try await writer.write(Self.write) }
            #expect(cut == .connectionLost(ShopCall(shop: "hanoi", action: .writeStock), maybeApplied: true))
            #expect(cut?.countsAsOutage == true && cut?.mayHaveBeenApplied == true)
            #expect(shop.simulator.journal.map(\.after) == [77], "the connector repeated nothing")
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a write that arrives late is only perhaps applied, and then is`(kind: ShopKind) async throws {
        try await withShop(kind, timeoutSeconds: 3) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.lateWrite, times: 1, delayMilliseconds: 3_000))
            let error = await connectorError { _ = try await writer.write(Self.write) }
            #expect(error?.mayHaveBeenApplied == true)
            #expect(shop.simulator.stock(of: "10") == 5)
            try await eventually("the stray write") { shop.simulator.stock(of: "10") == 77 }
            #expect(shop.simulator.journal.map(\.source) == [.late])
            #expect(shop.simulator.statistics.concurrentRequests == 0)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a connection that is reset may have carried the write`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.reset, method: "POST", times: 1))
            let error = await connectorError { _ = try await writer.write(Self.write) }
            #expect(error?.label == "connection_lost" && error?.mayHaveBeenApplied == true)
            #expect(shop.simulator.stock(of: "10") == 5)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a shop that is down cannot have applied anything`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            await shop.simulator.stop()
            let error = await connectorError { _ = try await writer.write(Self.write) }
            #expect(error?.label == "unreachable" && error?.mayHaveBeenApplied == false)
            #expect(error?.countsAsOutage == true && error?.disposition == .transient)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `faster than the shop allows is throttled with its own wait`(kind: ShopKind) async throws {
        func limit(_ settings: inout SimulatorConfiguration) {
            (settings.requestsPerSecond, settings.burst) = (0.01, 2)
        }
        try await withShop(kind, configure: limit) { shop in
            let writer = try await shop.writer()
            let error = await connectorError { _ = try await writer.write(Self.write) }
            #expect(error?.label == "throttled" && error?.mayHaveBeenApplied == false)
            // A hundred seconds for a turn, less what has passed since the last one was taken.
            let wait = try #require(error?.retryAfterSeconds)
            #expect((40...100).contains(wait))
            #expect(shop.simulator.statistics.throttled == 1)
            #expect(shop.pacing.feedback.last?.outcome == .answered(status: 429))
            #expect(shop.pacing.feedback.last?.retryAfterSeconds == wait)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a wrong secret is unauthorized and a key without the right to write can read`(kind: ShopKind) async throws {
        func readOnly(_ settings: inout SimulatorConfiguration) { settings.permissions = .read }
        try await withShop(kind, configure: readOnly) { shop in
            let capabilities = try await shop.connector.discover()
            #expect(capabilities.catalogue != nil && capabilities.stockReading != nil)
            #expect(capabilities.stockWriting == nil)
            let missing = await connectorError { _ = try await shop.writer() }
            #expect(missing?.label == "unsupported")
            let stranger = shop.connect { $0.secret = "cs_wrong_secret_of_somebody_else" }
            let error = await connectorError { _ = try await stranger.discover() }
            #expect(error?.label == "unauthorized" && error?.disposition == .permanent)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `the pace is asked before every call and hears of each`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            _ = try await shop.catalogue().page(after: nil)
            _ = try await shop.reader().read(["10", "20/21"])
            _ = try await writer.write(Self.write)
            shop.simulator.inject(Fault(.reset, method: "POST", times: 1))
            _ = await connectorError { _ = try await writer.write(Self.write) }
            let calls = shop.simulator.statistics.requests
            #expect(shop.pacing.turns == calls && shop.pacing.feedback.count == calls)
            #expect(shop.pacing.feedback.last?.outcome == .failed(timedOut: false))

            shop.pacing.refuse(.breakerOpen(retryAfterSeconds: 30))
            let error = await connectorError { _ = try await writer.write(Self.write) }
            #expect(error?.label == "not_paced" && error?.retryAfterSeconds == 30)
            #expect(error?.mayHaveBeenApplied == false && error?.countsAsOutage == false)
            #expect(shop.simulator.statistics.requests == calls, "without a turn nothing is sent")
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `no error shows a credential`(kind: ShopKind) async throws {
        try await withShop(kind, timeoutSeconds: 3) { shop in
            let writer = try await shop.writer()
            var faults = [401, 403, 413, 418, 429, 500, 503].map { Fault(.status, times: 1, status: $0) }
            faults += [Fault(.html, times: 1), Fault(.malformedJSON, times: 1), Fault(.reset, times: 1)]
            faults.append(Fault(.timeoutBeforeWrite, times: 1))
            // A shop that repeats the credentials in its own words.
            faults.append(Fault(.partialBatch, times: 1, items: [10], code: "bad_\(ShopUnderTest.secret)"))
            var texts: [String] = []
            for fault in faults {
                shop.simulator.inject(fault)
                do {
                    texts.append(String(reflecting: try await writer.write(Self.write)))
                } catch {
                    texts += ["\(error)", String(reflecting: error)]
                }
            }
            texts.append(String(reflecting: shop.connector))
            #expect(texts.count > 20)
            for text in texts {
                #expect(!text.contains(ShopUnderTest.key) && !text.contains(ShopUnderTest.secret))
            }
            #expect(texts.contains { $0.contains("[redacted]") })
        }
    }
}
