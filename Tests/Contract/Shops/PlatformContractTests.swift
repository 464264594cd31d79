import Domain
import Foundation
import ShopConnectors
import ShopSimulators
import Testing
import Transfer

@Suite("Every platform's connector keeps the same contract for stock and webhooks")
struct PlatformContractTests {
    @Test(arguments: ShopPlatform.allCases)
    func `a catalogue names every listing and its place of stock`(platform: ShopPlatform) async throws {
        let products =
            (1...200).map { CatalogueProduct(id: $0, sku: "P\($0)", stock: $0) }
            + smallCatalogue.map { product in
                var product = product
                product.id += 1_000
                product.variations = product.variations?.map { variation in
                    var variation = variation
                    variation.id += 1_000
                    return variation
                }
                return product
            }
        try await withPlatform(platform, catalogue: products) { shop in
            let catalogue = try #require(try await shop.connector.discover().catalogue)
            var (listings, cursor): ([Listing], CatalogueCursor?) = ([], nil)
            repeat {
                let page = try await catalogue.page(after: cursor)
                listings += page.listings
                cursor = page.next
            } while cursor != nil
            let simple = (1...200).map { platform.listing("\($0)") }
            #expect(listings.prefix(200).map(\.id) == simple)
            #expect(listings.prefix(200).map(\.stockID) == (1...200).map { platform.stock("\($0)") })
            #expect(listings.prefix(200).map(\.stock) == (1...200).map { Quantity($0) })
            let tee = listings.first { $0.id == "1020/1021" }
            #expect(tee?.sku == "TEE-M" && tee?.title == "Tee - M" && tee?.stock == 7 && tee?.isPublished == true)
            #expect(listings.first { $0.id == platform.listing("1012") }?.sku == nil)
            #expect(Set(listings.map(\.id)).count == listings.count)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `what is written is confirmed, read back, and confirmed again when nothing changes`(
        platform: ShopPlatform
    ) async throws {
        try await withPlatform(platform) { shop in
            let capabilities = try await shop.connector.discover()
            let writer = try #require(capabilities.stockWriting)
            let (soap, balm) = (platform.stock("10"), platform.stock("11"))
            for attempt in ["a", "b"] {
                let writes = [
                    StockWrite(id: soap, quantity: 41, attempt: attempt),
                    StockWrite(id: balm, quantity: 0, attempt: attempt),
                ]
                #expect(try await writer.write(writes) == [soap: .confirmed(41), balm: .confirmed(0)])
            }
            let read = try await #require(capabilities.stockReading).read([soap, balm])
            #expect(read.mapValues(\.quantity) == [soap: 41, balm: 0])
            #expect(shop.simulator.stock(of: "10") == 41)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `groups fit into a call`(platform: ShopPlatform) async throws {
        let products = (1...600).map { CatalogueProduct(id: $0, sku: "P\($0)", stock: 0) }
        try await withPlatform(platform, catalogue: products) { shop in
            let writer = try #require(try await shop.connector.discover().stockWriting)
            let ids = (1...600).map { platform.stock("\($0)") }
            let groups = writer.groups(ids + ids)
            #expect(groups.flatMap { $0 } == ids && groups.allSatisfy { $0.count <= writer.maximumBatch })
            for group in groups {
                let results = try await writer.write(group.map { StockWrite(id: $0, quantity: 6) })
                #expect(results.count == group.count && results.values.allSatisfy { $0 == .confirmed(6) })
            }
            #expect(shop.simulator.stock.values.allSatisfy { $0 == 6 })
        }
    }

    // MARK: - Compare and set

    @Test(arguments: ["2025-10", "2026-01", "2026-04", "2026-10"])
    func `a sale in between is not overwritten and the other rows go through afterwards`(version: String) async throws {
        try await withPlatform(.shopify) { shop in
            let client = TransferClient(options: TransferOptions())
            defer { client.close() }
            let connector = ShopifyConnector(
                ShopifyConfiguration(
                    shop: "hanoi", url: shop.simulator.url, apiVersion: version, clientID: ShopUnderTest.key,
                    clientSecret: ShopUnderTest.secret), http: client, pacing: UnlimitedPacing())
            let writer = try #require(try await connector.discover().stockWriting)
            #expect(writer.comparesAndSets)
            let (soap, tee) = (shop.platform.stock("10"), shop.platform.stock("20/21"))
            #expect(shop.simulator.sell("10", quantity: 1))
            let writes = [
                StockWrite(id: soap, quantity: 50, expected: 5, attempt: "1"),
                StockWrite(id: tee, quantity: 60, expected: 7, attempt: "1"),
            ]
            #expect(try await writer.write(writes) == [soap: .mismatch(observed: 4), tee: .notWritten])
            #expect(shop.simulator.stock(of: "10") == 4 && shop.simulator.stock(of: "20/21") == 7)
            let again = [
                StockWrite(id: soap, quantity: 49, expected: 4, attempt: "2"),
                StockWrite(id: tee, quantity: 60, expected: 7, attempt: "2"),
            ]
            #expect(try await writer.write(again) == [soap: .confirmed(49), tee: .confirmed(60)])
        }
    }

    @Test func `the same attempt is carried out once`() async throws {
        try await withPlatform(.shopify) { shop in
            let writer = try #require(try await shop.connector.discover().stockWriting)
            let soap = shop.platform.stock("10")
            let write = [StockWrite(id: soap, quantity: 50, expected: 5, attempt: "1")]
            #expect(try await writer.write(write) == [soap: .confirmed(50)])
            #expect(shop.simulator.sell("10", quantity: 3))
            #expect(try await writer.write(write) == [soap: .confirmed(50)], "the first answer is repeated")
            #expect(shop.simulator.stock(of: "10") == 47)
        }
    }

    @Test func `a variant that is stocked nowhere is put at the location`() async throws {
        try await withPlatform(.shopify, configure: { $0.shopify.notStocked = [10] }) { shop in
            let writer = try #require(try await shop.connector.discover().stockWriting)
            let (soap, balm) = (shop.platform.stock("10"), shop.platform.stock("11"))
            let results = try await writer.write([
                StockWrite(id: soap, quantity: 8, attempt: "1"), StockWrite(id: balm, quantity: 9, attempt: "1"),
            ])
            #expect(results == [soap: .confirmed(8), balm: .notWritten])
            #expect(try await writer.write([StockWrite(id: balm, quantity: 9, attempt: "2")]) == [balm: .confirmed(9)])
        }
    }

    @Test(arguments: [200, 429])
    func `an empty bucket is throttled with the seconds to wait`(status: Int) async throws {
        try await withPlatform(
            .shopify,
            configure: {
                ($0.shopify.restoreRate, $0.shopify.maximumPoints, $0.shopify.throttledStatus) = (10, 1_000, status)
            }
        ) { shop in
            let catalogue = try #require(try await shop.connector.discover().catalogue)
            // Somebody else takes the points away.
            let client = TransferClient(options: TransferOptions())
            defer { client.close() }
            let other = ShopifyConnector(
                ShopifyConfiguration(
                    shop: "hanoi", url: shop.simulator.url, clientID: ShopUnderTest.key,
                    clientSecret: ShopUnderTest.secret), http: client, pacing: UnlimitedPacing())
            let error = await connectorError {
                let theirs = try #require(try await other.discover().catalogue)
                for _ in 0..<30 {
                    _ = try await theirs.page(after: nil)
                    _ = try await catalogue.page(after: nil)
                }
            }
            #expect(error?.label == "throttled" && (error?.retryAfterSeconds ?? 0) > 0)
        }
    }

    @Test func `a token that has run out is asked for again`() async throws {
        try await withPlatform(.shopify) { shop in
            _ = try await shop.readAll(shop.window())
            // The shop forgets its tokens after a day.
            shop.simulator.setClock(offsetSeconds: 90_000)
            #expect(try await shop.readAll(shop.window()).isEmpty)
        }
    }

    // MARK: - Failures

    @Test(
        arguments: ShopPlatform.allCases,
        [
            (Fault(.status, method: "POST", times: 1, status: 503), "unavailable", true),
            (Fault(.status, method: "POST", times: 1, status: 429), "throttled", false),
            (Fault(.status, method: "POST", times: 1, status: 403), "forbidden", false),
            (Fault(.html, method: "POST", times: 1), "malformed_answer", true),
            (Fault(.malformedJSON, method: "POST", times: 1), "malformed_answer", true),
            (Fault(.reset, method: "POST", times: 1), "connection_lost", true),
        ])
    func `a write that fails says whether it may have been applied, and is not repeated`(
        platform: ShopPlatform, failure: (fault: Fault, label: String, maybeApplied: Bool)
    ) async throws {
        try await withPlatform(platform) { shop in
            let writer = try #require(try await shop.connector.discover().stockWriting)
            let write = StockWrite(id: platform.stock("10"), quantity: 33, attempt: "1")
            shop.simulator.reset()
            shop.simulator.inject(failure.fault)
            let error = await connectorError { _ = try await writer.write([write]) }
            #expect(error?.label == failure.label && error?.mayHaveBeenApplied == failure.maybeApplied)
            #expect(shop.simulator.statistics.writeRequests <= 1, "nothing is repeated")
            // The same attempt again does no harm.
            #expect(try await writer.write([write]) == [write.id: .confirmed(33)])
            #expect(shop.simulator.stock(of: "10") == 33)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `an account that may only read has no writing`(platform: ShopPlatform) async throws {
        try await withPlatform(platform, configure: { $0.permissions = .read }) { shop in
            let capabilities = try await shop.connector.discover()
            #expect(capabilities.stockWriting == nil && capabilities.stockReading != nil)
            #expect(capabilities.orderReading != nil && capabilities.catalogue != nil)
        }
    }

    // MARK: - Webhooks

    @Test(arguments: ShopPlatform.allCases)
    func `webhooks of every change are verified, forged ones are not`(platform: ShopPlatform) async throws {
        let receiver = WebhookReceiver()
        try await receiver.start()
        do {
            try await withPlatform(platform) { shop in
                let webhooks = try await shop.webhooks()
                try await webhooks.subscribe(to: receiver.url)
                let verifier = try #require(shop.connector.webhookVerifying)
                let order = try shop.simulator.placeOrder(["10": 1])
                try shop.simulator.touchOrder(order.id)
                func verdicts() -> [WebhookVerdict] {
                    receiver.received.map { received in
                        verifier.verify(
                            headers: received.headers.map { HTTPHeader($0.key, $0.value) }, body: received.body)
                    }
                }
                func notices() -> [OrderNotice] {
                    verdicts().compactMap { if case .order(let notice) = $0 { notice } else { nil } }
                }
                try await eventually("two changes are told of") { Set(notices().map(\.topic)).count >= 2 }
                #expect(notices().allSatisfy { $0.externalID == "\(order.id)" })
                #expect(Set(notices().map(\.deliveryID)).count == notices().count)
                #expect(!verdicts().contains { if case .rejected = $0 { true } else { false } })
                #expect(shop.simulator.forgeWebhook(order: order.id))
                try await eventually("a forged one comes and is rejected") {
                    verdicts().contains { if case .rejected = $0 { true } else { false } }
                }
            }
        } catch {
            await receiver.stop()
            throw error
        }
        await receiver.stop()
    }

    @Test(arguments: ShopPlatform.allCases)
    func `subscriptions are made once and made again when they are gone`(platform: ShopPlatform) async throws {
        // Nobody listens there: deliveries fail until the shop gives up.
        let url = "http://127.0.0.1:9/hook"
        try await withPlatform(
            platform,
            configure: {
                $0.webhookFailureLimit = 2
                ($0.shopify.webhookFailureLimit, $0.shopify.webhookWaitScale) = (2, 0)
            }
        ) { shop in
            let webhooks = try await shop.webhooks()
            try await webhooks.subscribe(to: url)
            try await webhooks.subscribe(to: url)
            let made = try await webhooks.subscriptions(to: url)
            #expect(made.count == Set(made.map(\.topic)).count && made.count >= 3)
            #expect(try await webhooks.subscriptions(to: url + "2").isEmpty)
            for _ in 0..<3 { try shop.simulator.touchOrder(try shop.simulator.placeOrder(["20/22": 1]).id) }
            try await eventually("the shop gives up") {
                let active = shop.simulator.subscriptions.filter { $0.status == "active" }
                return active.count < made.count
            }
            try await webhooks.subscribe(to: url)
            let again = try await webhooks.subscriptions(to: url)
            #expect(again.count == made.count)
        }
    }
}
