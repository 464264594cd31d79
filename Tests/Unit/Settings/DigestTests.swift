import Testing

@testable import Settings

@Suite("A shop's digest changes exactly when its settings do")
struct DigestTests {
    @Test("layout, order, comments and written-out defaults change nothing")
    func sameMeaning() throws {
        let plain = try load(minimalText).shops[0]
        let rewritten = try load(
            minimal(
                "    platform: woocommerce\n    url: https://hanoi.hoasen.example",
                "    url: 'https://hanoi.hoasen.example' # here\n    cap: 99999\n    share: 1.0\n"
                    + "    platform: woocommerce\n"
                    + "    limits: {burst: 10, batch: 100}"))
        #expect(rewritten.shops[0].canonicalDescription == plain.canonicalDescription)
        #expect(rewritten.shops[0].settingsDigest == plain.settingsDigest)
        #expect(plain.settingsDigest.utf8.count == 16)
    }

    @Test(
        "every change of the shop or of its warehouses' safety shows",
        arguments: [
            ("url: https://hanoi.hoasen.example", "url: https://hanoi2.hoasen.example"),
            ("warehouses: [HN, HCM]", "warehouses: [HN]"), ("${env:KEY}", "${env:OTHER}"),
            ("platform: woocommerce", "platform: woocommerce\n    buffer: 0.5"),
            ("{name: HCM}", "{name: HCM, safety: 1}"),
            ("platform: woocommerce", "platform: woocommerce\n    limits: {burst: 11}"),
        ])
    func changes(_ part: String, _ replacement: String) throws {
        let plain = try load(minimalText).shops[0]
        #expect(try load(minimal(part, replacement)).shops[0].settingsDigest != plain.settingsDigest)
    }

    @Test("the digest is FNV-1a, so that it is the same on every machine")
    func knownValues() {
        #expect(stableDigest(of: "") == "cbf29ce484222325")
        #expect(stableDigest(of: "a") == "af63dc4c8601ec8c")
        #expect(stableDigest(of: "foobar") == "85944171f73967e8")
    }
}
