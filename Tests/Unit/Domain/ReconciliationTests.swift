import Domain
import Testing

@Suite("Reconciliation")
struct ReconciliationTests {
    /// A listing that shows what it should: 5 of 5, confirmed.
    private func facts(_ change: (inout ReconciliationFacts) -> Void = { _ in }) -> ReconciliationFacts {
        var facts = ReconciliationFacts(
            mapping: .mapped, wanted: 5, confirmed: 5, expectedAtShop: 5, first: SiteReading(quantity: 5))
        change(&facts)
        return facts
    }

    /// The same, but the shop shows another number at both looks.
    private func showing(
        _ quantity: Quantity, _ change: (inout ReconciliationFacts) -> Void = { _ in }
    ) -> ReconciliationFacts {
        facts {
            $0.first = SiteReading(quantity: quantity)
            $0.second = .read(SiteReading(quantity: quantity))
            change(&$0)
        }
    }

    @Test("a listing that shows what it should is ok, whatever is on its way")
    func right() {
        #expect(facts().category == .ok)
        #expect(facts { $0.hasNewerOrder = true }.category == .ok)
        #expect(facts { $0.isPending = true }.category == .ok)
        #expect(facts { $0.outcome = .failed }.category == .ok)
    }

    @Test("the SKU of two shelves is a duplicate, even where the number is right")
    func duplicate() {
        #expect(facts { $0.sharesSKU = true }.category == .duplicateSKU)
    }

    @Test("a listing without exactly one code is unmapped or ambiguous")
    func mapping() {
        #expect(facts { $0.mapping = .ambiguous }.category == .ambiguousAlias)
        for mapping in [ReconciliationFacts.Mapping.unmapped, .blank, .unknown] {
            #expect(facts { $0.mapping = mapping }.category == .unmapped)
        }
    }

    @Test("a listing is missing on the site only if the last look did not find it")
    func missingOnSite() {
        #expect(facts { $0.first = nil }.category == .missingOnSite)
        #expect(facts { ($0.first, $0.second) = (nil, .gone) }.category == .missingOnSite)
        #expect(facts { $0.second = .gone }.category == .missingOnSite)
        #expect(facts { ($0.first, $0.second) = (nil, .read(SiteReading(quantity: 5))) }.category == .ok)
    }

    @Test("a code that no file states is missing in the file")
    func missingInFile() {
        #expect(facts { $0.isMissingInFile = true }.category == .missingInFile)
        #expect(facts { $0.wanted = nil }.category == .missingInFile)
    }

    @Test("what customers cannot see is disabled, though the second look cannot tell")
    func disabled() {
        let hidden = facts {
            $0.first = SiteReading(quantity: 5, isPublished: false)
            $0.second = .read(SiteReading(quantity: 5))
        }
        #expect(hidden.category == .disabled)
    }

    @Test("a shop that does not count the stock is not tracked")
    func notTracked() {
        #expect(facts { $0.first = SiteReading(quantity: nil, isTracked: false) }.category == .notTracked)
    }

    @Test("a difference is in flight after a newer order, with a push under way, or without an expectation")
    func inFlight() {
        #expect(showing(4) { $0.hasNewerOrder = true }.category == .inFlight)
        #expect(showing(4) { $0.isPending = true }.category == .inFlight)
        #expect(showing(4) { $0.expectedAtShop = nil }.category == .inFlight)
    }

    @Test("two looks that disagree are in flight")
    func moving() {
        #expect(facts { $0.second = .read(SiteReading(quantity: 4)) }.category == .inFlight)
    }

    @Test("fewer than expected is in flight while sales may be unknown; more is not")
    func unknownSales() {
        #expect(showing(4) { $0.ordersAreComplete = false }.category == .inFlight)
        #expect(showing(6) { $0.ordersAreComplete = false }.category == .editedOnSite)
    }

    @Test("a difference after a refused or failed push is a failed push")
    func pushFailed() {
        for outcome in [ShelfOutcome.Name.rejected, .failed] {
            let refused = showing(3) { ($0.confirmed, $0.expectedAtShop, $0.outcome) = (3, 3, outcome) }
            #expect(refused.category == .pushFailed)
        }
    }

    @Test("a number that was confirmed, and from which nothing was sold or pushed since, was edited on the site")
    func edited() {
        #expect(showing(7).category == .editedOnSite)
        #expect(showing(2).category == .editedOnSite)
    }

    @Test("a number that the shop never confirmed, or that we know to be old, is too high or too low")
    func highAndLow() {
        #expect(showing(7) { ($0.confirmed, $0.expectedAtShop) = (nil, nil) }.category == .tooHigh)
        #expect(showing(2) { ($0.confirmed, $0.expectedAtShop) = (nil, nil) }.category == .tooLow)
        #expect(showing(3) { ($0.confirmed, $0.expectedAtShop) = (3, 3) }.category == .tooLow, "as we left it")
        #expect(showing(7) { $0.confirmed = 6 }.category == .tooHigh, "sold one since: no proof of an edit")
        #expect(showing(-1) { ($0.wanted, $0.confirmed, $0.expectedAtShop) = (0, nil, nil) }.category == .tooLow)
    }

    @Test("packs taken for units, and fractions, are about units")
    func units() {
        let packs = showing(30) { ($0.unitsPerPack, $0.confirmed, $0.expectedAtShop) = (6, nil, nil) }
        #expect(packs.category == .unitOrRounding)
        let half = Quantity(micro: 5_500_000)
        #expect(showing(half) { ($0.confirmed, $0.expectedAtShop) = (nil, nil) }.category == .unitOrRounding)
    }

    @Test("a right number from an old file is stale, a wrong one is wrong")
    func stale() {
        #expect(facts { $0.isStale = true }.category == .staleFile)
        #expect(showing(7) { $0.isStale = true }.category == .editedOnSite)
    }

    @Test("the order of precedence is that of the rules")
    func precedence() {
        let order = ReconciliationCategory.allCases.map(\.rawValue).joined(separator: " ")
        #expect(
            order == "duplicate_sku ambiguous_alias unmapped missing_on_site missing_in_file disabled not_tracked "
                + "in_flight push_failed edited_on_site kit_mismatch unit_or_rounding too_high too_low stale_file "
                + "price_mismatch ok")
    }

    @Test("every combination has exactly one category, the first that applies")
    func total() {
        var generator = Seeded(state: 20_261_122)
        var seen: Set<ReconciliationCategory> = []
        for _ in 0..<60_000 {
            let facts = ReconciliationFacts.random(using: &generator)
            let applying = ReconciliationCategory.allCases.filter(facts.applies)
            #expect(facts.category == applying.min(), "\(facts)")
            #expect(facts.category == facts.category)
            seen.insert(facts.category)
        }
        #expect(seen == Set(ReconciliationCategory.allCases).subtracting([.kitMismatch, .priceMismatch]))
    }

    @Test("what is right or moving is no difference, and only numbers are repaired")
    func repair() {
        #expect(ReconciliationCategory.allCases.filter { !$0.isDifference } == [.inFlight, .ok])
        #expect(ReconciliationCategory.allCases.filter(\.isSafelyRepaired) == [.editedOnSite, .tooHigh, .tooLow])
    }
}

private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

extension ReconciliationFacts {
    /// Any facts; what is usual is more frequent, so that late categories are reached too.
    fileprivate static func random(using generator: inout some RandomNumberGenerator) -> ReconciliationFacts {
        func rarely() -> Bool { Int.random(in: 0..<8, using: &generator) == 0 }
        func level() -> Int? { rarely() ? nil : Int.random(in: 0...7, using: &generator) }
        func reading() -> SiteReading {
            let micro = Int64.random(in: -2...14, using: &generator) * (rarely() ? 500_000 : 1_000_000)
            return SiteReading(
                quantity: rarely() ? nil : Quantity(micro: micro), isTracked: !rarely(), isPublished: !rarely())
        }
        let first = rarely() ? nil : reading()
        let second: SecondReading =
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: .gone
            case 1: .read(reading())
            case 2, 3: first.map { .read($0) } ?? .none
            default: .none
            }
        let mapping = rarely() ? Mapping.allCases.randomElement(using: &generator) ?? .mapped : .mapped
        let outcome: ShelfOutcome.Name =
            rarely() ? ShelfOutcome.Name.allCases.randomElement(using: &generator) ?? .failed : .unchanged
        return ReconciliationFacts(
            mapping: mapping, sharesSKU: rarely(), wanted: level(), unitsPerPack: rarely() ? 2 : 1,
            isMissingInFile: rarely(), confirmed: level(), expectedAtShop: level(), isPending: rarely(),
            outcome: outcome, first: first, second: second, hasNewerOrder: rarely(), ordersAreComplete: !rarely(),
            isStale: rarely())
    }
}
