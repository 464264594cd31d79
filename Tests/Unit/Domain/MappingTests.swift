import Domain
import Testing

@Suite("SKU mapping")
struct MappingTests {
    private func index(
        _ codes: [ERPCode], _ rules: [NormalizationRule] = NormalizationRule.allCases, _ aliases: [MappingAlias] = []
    ) -> MappingIndex {
        MappingIndex(codes: codes, rules: rules, aliases: aliases)
    }

    @Test(arguments: [
        (" ab-12 ", "AB12"), ("0012", "12"), ("000", "0"), ("A.B/C_D", "ABCD"), ("sữa-tắm", "SỮATẮM"),
        ("Su\u{031B}\u{0303}a", "SỮA"), ("\u{FEFF}x\u{00A0}", "X"), ("0-0-7", "7"),
    ])
    func spellingsAreBroughtToOneForm(_ text: String, _ expected: String) {
        #expect(
            SKUNormalizer(rules: NormalizationRule.allCases).normalize(text).map { Array($0.utf8) }
                == Array(expected.utf8))
    }

    @Test(arguments: ["", "   ", "\u{00A0}\u{200B}", "\t\n"])
    func blankNeverMatchesAnything_fault11(_ text: String) {
        let all = index(["", " ", "-", "A"], NormalizationRule.allCases, [MappingAlias(shopSKU: " ", code: "A")])
        #expect(all.result(for: ShopSKU(text)) == .blank)
        #expect(index([""], []).result(for: ShopSKU(text)) == .blank)
        #expect(all.suggestions(for: ShopSKU(text)).isEmpty)
    }

    @Test
    func separatorsAloneAreBlankToo() {
        #expect(index(["A"]).result(for: "--") == .blank)
    }

    @Test
    func withoutRulesOnlyTheExactSpellingMatches() {
        let strict = index(["AB-1"], [])
        #expect(strict.result(for: "AB-1") == .mapped("AB-1", unitsPerPack: 1, via: .exact))
        #expect(strict.result(for: "ab-1") == .unmapped)
        #expect(strict.result(for: "AB1") == .unmapped)
    }

    @Test
    func rulesMatchSpellingsAndTwoCandidatesAreAQuestion() {
        let loose = index(["AB-1", "0012", "12", "C"])
        #expect(loose.result(for: "ab1") == .mapped("AB-1", unitsPerPack: 1, via: .rule))
        #expect(loose.result(for: "012") == .ambiguous(["0012", "12"]))
        #expect(loose.result(for: "12") == .ambiguous(["0012", "12"]))
        #expect(loose.result(for: "D") == .unmapped)
        #expect(index(["C", "C"]).result(for: "c").code == "C", "the same code twice is one candidate")
    }

    @Test
    func aliasesStandAboveRulesAndCarryPacks() {
        let aliases = [
            MappingAlias(shopSKU: "AB-1", code: "X", unitsPerPack: 2), MappingAlias(listing: "7/8", code: "Y"),
            MappingAlias(shopSKU: "T", code: "P"), MappingAlias(shopSKU: "t", code: "Q"),
            MappingAlias(shopSKU: "Z", code: "Z", unitsPerPack: 0),
        ]
        let mapped = index(["AB-1", "12"], NormalizationRule.allCases, aliases)
        #expect(mapped.result(for: "AB-1") == .mapped("X", unitsPerPack: 2, via: .alias))
        #expect(mapped.result(for: "ab1") == .mapped("X", unitsPerPack: 2, via: .alias))
        #expect(mapped.result(for: "", listing: "7/8") == .mapped("Y", unitsPerPack: 1, via: .alias))
        #expect(mapped.result(for: "T") == .mapped("P", unitsPerPack: 1, via: .alias), "the exact spelling's alias")
        #expect(mapped.result(for: " t") == .ambiguous(["P", "Q"]))
        #expect(mapped.result(for: "Z") == .unmapped, "a pack of nothing is no alias")
    }

    @Test
    func suggestionsAreRankedBySimilarity() {
        let catalogue = index(["SHAMPOO-500", "SHAMPOO-250", "SOAP-1", "XYZ"])
        let found = catalogue.suggestions(for: "SHAMPO-500")
        #expect(found.first?.code == "SHAMPOO-500")
        #expect(found.map(\.similarity) == found.map(\.similarity).sorted(by: >))
        #expect(!found.contains { $0.code == "XYZ" })
        #expect(catalogue.suggestions(for: "SHAMPOO500", limit: 1).map(\.similarity) == [1])
    }

    @Test
    func suggestionsComeFromABoundedNumberOfCodes() {
        let many = index((0..<5_000).map { ERPCode("CODE\($0)") })
        #expect(many.suggestions(for: "CODE4999", limit: 3, examining: 100).count <= 3)
        #expect(many.suggestions(for: "CODE499X").first.map { $0.similarity > 0.8 } == true)
    }
}
