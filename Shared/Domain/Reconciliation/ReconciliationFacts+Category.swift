extension ReconciliationFacts {
    /// The one category of the listing: the first that applies in the order of precedence.
    public var category: ReconciliationCategory {
        // As it should be, in nearly every case: decided without trying every rule.
        if isPlainlyRight { return .ok }
        return ReconciliationCategory.allCases.first(where: applies) ?? .ok
    }

    /// Whether a category would apply by itself; ``category`` is the first one for which this holds.
    public func applies(_ category: ReconciliationCategory) -> Bool {
        switch category {
        case .duplicateSKU: sharesSKU
        case .ambiguousAlias: mapping == .ambiguous
        case .unmapped: mapping == .unmapped || mapping == .blank || mapping == .unknown
        case .missingOnSite: latest == nil
        case .missingInFile: mapping == .mapped && (isMissingInFile || wanted == nil)
        case .disabled: latest.map { !$0.isPublished } ?? false
        case .notTracked: latest.map { !$0.isTracked || $0.quantity == nil } ?? false
        case .inFlight: differs && isMoving
        case .pushFailed: differs && (outcome == .rejected || outcome == .failed)
        case .editedOnSite: differs && wasEdited
        case .kitMismatch, .priceMismatch: false
        case .unitOrRounding: differs && isAboutUnits
        case .tooHigh: differs && observed.map { $0 > expected } ?? false
        case .tooLow: differs && observed.map { $0 < expected } ?? false
        case .staleFile: isStale && mapping == .mapped && wanted != nil
        case .ok: true
        }
    }

    private var isPlainlyRight: Bool {
        guard mapping == .mapped, !sharesSKU, !isMissingInFile, !isStale, second == .none, let first, let wanted
        else { return false }
        return first.isTracked && first.isPublished && first.quantity == Quantity(wanted)
    }

    private var observed: Quantity? { latest?.quantity }

    private var expected: Quantity { Quantity(wanted ?? 0) }

    /// The shop shows a number, somebody stated what it should be, and they are not the same.
    private var differs: Bool {
        guard let observed, wanted != nil else { return false }
        return observed != expected
    }

    /// The number cannot be judged now: it is on its way, two looks disagree, or a sale may not be known yet.
    private var isMoving: Bool {
        if hasNewerOrder || isPending { return true }
        // Once written, a shelf without an expectation is one whose last write or sale is unsettled.
        if confirmed != nil && expectedAtShop == nil { return true }
        if case .read(let reading) = second, let first, reading.quantity != first.quantity { return true }
        // A sale that nobody has collected yet looks like a number somebody lowered.
        guard !ordersAreComplete, let observed, let expectedAtShop else { return false }
        return observed < Quantity(expectedAtShop)
    }

    /// Somebody changed it there: the shop confirmed a number, nothing was sold or pushed since by our knowledge, and
    /// it shows another one. A number that the shop never confirmed, or from which sales were taken off since, says
    /// nothing about who changed it: that is too high or too low.
    private var wasEdited: Bool {
        guard let confirmed, let expectedAtShop, let observed, !isPending, !hasNewerOrder else { return false }
        return confirmed == expectedAtShop && observed != Quantity(confirmed)
    }

    private var isAboutUnits: Bool {
        guard let observed, let wanted else { return false }
        if !observed.isWhole { return observed > Quantity(wanted) - 1 && observed < Quantity(wanted) + 1 }
        guard unitsPerPack > 1, wanted > 0 else { return false }
        return observed == Quantity(wanted).multiplied(by: unitsPerPack)
            || observed.multiplied(by: unitsPerPack) == Quantity(wanted)
    }
}
