import Domain
import Foundation
import Testing

@testable import Stockbridge

@Suite("The chain that explain prints")
struct ExplanationTests {
    private static func sample() -> Explanation {
        let now = SampleStatus.now
        var explanation = Explanation(
            shop: "saigon", asked: "ab-1", at: now, isPast: false, shadow: false,
            listing: .init(
                listing: "200123", shelf: "200123", sku: "ab-1", title: "Dầu gội Hoa Sen", stockManaged: true,
                published: true, observed: "7", observedAt: now - 3_600, mapping: "mapped", erpCode: "AB-1",
                unitsPerPack: 1, via: "rule"))
        explanation.files = [("HN", 12, "12"), ("HCM", 13, "7")].map { warehouse, line, onHand in
            .init(
                source: "erp", warehouse: warehouse, onHand: onHand, line: line, file: "stock-20261122-0545.csv",
                snapshot: UUID(uuidString: "4f1c2d3e-0000-0000-0000-000000000000") ?? UUID(), sequence: 1,
                asOf: now - 1_500, receivedAt: now - 600, acceptedBy: "lan", acceptedReason: "stock-take",
                missingFor: 0)
        }
        let inputs = LevelInputs(
            warehouses: [
                WarehouseStock(warehouse: "HN", onHand: 12), WarehouseStock(warehouse: "HCM", onHand: 7, safety: 3),
            ], holds: 1, policy: LevelPolicy(buffer: 2, share: Share("0.8") ?? .whole))
        explanation.holds = [.init(quantity: "1", reason: "damaged", endsAt: now + 3_600, createdBy: "lan")]
        explanation.versions = [
            .init(
                version: 2, wanted: 10, causeKind: "stock", causeID: "4f1c2d3e", decidedAt: now - 590,
                breakdown: inputs.breakdown())
        ]
        explanation.pushes = [
            .init(
                version: 2, level: 10, beganAt: now - 581, endedAt: now - 580, result: "confirmed",
                answer: "stock_quantity 10", replica: "r")
        ]
        explanation.shelf = .init(
            wanted: 10, version: 2, sentVersion: 2, confirmedVersion: 2, confirmedLevel: 10, confirmedAt: now - 580,
            expectedAtShop: 10, due: false, inFlight: false)
        return explanation
    }

    private func text(_ change: (inout Explanation) -> Void = { _ in }) -> String {
        var explanation = Self.sample()
        change(&explanation)
        return ExplanationText(explanation: explanation, wording: SampleStatus.wording, style: .plain).text
    }

    @Test("It goes from the file's line over mapping and level to the shop's answer")
    func chain() throws {
        let parts = [
            "saigon, listing 200123 (SKU ab-1): Dầu gội Hoa Sen",
            "stock-20261122-0545.csv of source erp, as of 22 Nov 05:45:00, arrived 22 Nov 06:00:00",
            "by lan (stock-take)",
            "line 12: 12 on hand in HN", "line 13: 7 on hand in HCM",
            "SKU 'ab-1' is ERP code AB-1, by the shop's mapping rules", "HCM: 7 on hand - 3 safety = 4", "together 16",
            "- 1 on hold", "1 by lan until 22 Nov 07:10:00: damaged", "- 2 the shop's buffer",
            "= 13 that can be promised", "x 0.8 share of this shop", "level 10",
            "version 2, level 10: confirmed after 1.0 s: stock_quantity 10",
            "10, confirmed 22 Nov 06:00:20 (version 2)", "as wanted",
        ]
        var rest = text()[...]
        for part in parts {
            let range = try #require(rest.range(of: part), "'\(part)' is not in its place in\n\(text())")
            rest = rest[range.upperBound...]
        }
    }

    @Test("A listing without an ERP code says what to do, and has no level")
    func unmapped() {
        let text = text {
            $0.listing.mapping = "unmapped"
            ($0.listing.erpCode, $0.files, $0.versions, $0.pushes, $0.shelf) = (nil, [], [], [], nil)
        }
        #expect(text.contains("SKU 'ab-1' fits no ERP code: stockbridge mapping suggest saigon 'ab-1'"))
        #expect(text.contains("No level was ever worked out."))
        #expect(text.contains("7, when its catalogue was read"))
    }

    @Test("A zero says why it is one")
    func zero() {
        let text = text {
            $0.versions[0].breakdown = LevelInputs(warehouses: [WarehouseStock(warehouse: "HN", onHand: 0)]).breakdown()
        }
        #expect(text.contains("It is 0 because nothing is on hand in the shop's warehouses."))
    }

    @Test("What keeps a shelf from being as wanted is told")
    func troubles() {
        let refused = text { $0.shelf?.rejection = "invalid" }
        #expect(refused.contains("the shop refused it: invalid"))
        let held = text { $0.shelf?.held = "three mismatches" }
        #expect(held.contains("held: three mismatches"))
        let due = text { $0.shelf?.due = true }
        #expect(due.contains("still to be written: 10 (version 2)"))
        #expect(text { $0.shadow = true }.contains("the shop is in shadow"))
    }

    @Test("JSON has the whole chain with the names of the tables")
    func json() throws {
        let text = try JSONText.of(Self.sample())
        let value = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        for key in ["shop", "listing", "files", "holds", "versions", "pushes", "shelf"] { #expect(value[key] != nil) }
        let versions = try #require(value["versions"] as? [[String: Any]])
        let breakdown = try #require(versions.first?["breakdown"] as? [String: Any])
        #expect(breakdown["level"] as? Int == 10)
    }
}
