public import Foundation

extension OrderRecord {
    /// The first revision of an order that nobody knew of.
    public static func first(
        _ facts: Order, digest: String, readAt: Date, around: OrderSurroundings
    ) -> (record: OrderRecord, effects: OrderEffects) {
        var record = OrderRecord(
            order: facts, digest: digest, readAt: readAt, version: OrderVersion(revision: 1, stateVersion: 0))
        var effects = OrderEffects()
        record.apply(facts, around: around, &effects)
        effects.change = .created
        return (record, effects)
    }

    /// The shop's facts have changed: the next revision.
    public mutating func revise(
        to facts: Order, digest: String, readAt: Date, around: OrderSurroundings
    ) -> OrderEffects {
        let before = self
        var effects = OrderEffects()
        self.digest = digest
        self.readAt = readAt
        version.revision += 1
        unreadable = nil
        apply(facts, around: around, &effects)
        let hasOutcome = cancellation == .cancelled || cancellation == .refused
        if cancellation != before.cancellation, hasOutcome {
            effects.change = .cancelled
        } else if Self.refunded(order) > Self.refunded(before.order) {
            effects.change = .refunded
        } else {
            effects.change = .updated
        }
        return effects
    }

    /// The shop no longer has the order: the same as a cancellation.
    public mutating func vanish(digest: (Order) -> String, readAt: Date, around: OrderSurroundings) -> OrderEffects {
        guard order.status.shopStatus != "deleted" || !order.status.isCancelled else { return OrderEffects() }
        var facts = order
        facts.charges.removeAll { $0.kind == .rounding }
        facts.status.shopStatus = "deleted"
        facts.status.isCancelled = true
        var effects = revise(to: facts, digest: digest(facts), readAt: readAt, around: around)
        effects.notes.append(OrderEffects.Note("deleted", "The shop no longer has this order."))
        return effects
    }

    /// Mapping, configuration or the shop's answers have changed, the facts have not.
    public mutating func reassess(around: OrderSurroundings, because reason: String) -> OrderEffects {
        let before = self
        var effects = OrderEffects()
        apply(order, around: around, &effects)
        guard self != before else { return OrderEffects() }
        version.stateVersion += 1
        effects.change = .updated
        if !effects.holdsChanged { effects.notes.append(OrderEffects.Note("reassessed", reason)) }
        return effects
    }

    /// The shop names it, but its answer about it cannot be read: kept as it was, and held.
    public mutating func markUnreadable(_ problem: String, around: OrderSurroundings) -> OrderEffects {
        guard unreadable != problem else { return OrderEffects() }
        unreadable = problem
        return reassess(around: around, because: "The shop's answer about it cannot be read.")
    }

    /// A person lets it go although its causes stand; nil if it is not held.
    public mutating func release(by person: String, reason: String, around: OrderSurroundings) -> OrderEffects? {
        guard !holds.isEmpty else { return nil }
        released += holds
        var effects = reassess(around: around, because: reason)
        effects.notes.insert(
            OrderEffects.Note("released", "Let go by \(person): \(reason)"), at: 0)
        return effects
    }

    /// A batch has told the ERP about it. Older batches that are heard of late change nothing but when it was first
    /// told; a version that we never stated is refused and recorded.
    public mutating func reported(
        batchID: String, sentAt: Date, version sent: OrderVersion, asCancelled: Bool
    ) -> OrderEffects {
        var effects = OrderEffects()
        guard sent.revision <= version.revision else {
            effects.notes.append(
                OrderEffects.Note(
                    "refused", "Batch \(batchID) says revision \(sent.revision), which is not known here."))
            return effects
        }
        let first = min(report?.firstSentAt ?? sentAt, sentAt)
        if var present = report, sent < present.version || sentAt < present.sentAt {
            present.firstSentAt = first
            report = present
            return effects
        }
        if cancellation == .cancelled, !asCancelled, report == nil { effects.tasks.append(.stopAtERP) }
        report = OrderReportFacts(
            firstSentAt: first, sentAt: sentAt, batchID: batchID, version: sent, asCancelled: asCancelled)
        effects.notes.append(
            OrderEffects.Note(
                "reported",
                "Batch \(batchID) told the ERP revision \(sent.revision)\(asCancelled ? ", cancelled" : "")."
            ))
        return effects
    }

    // MARK: Parts

    /// Sets everything that follows from the facts and their surroundings.
    private mutating func apply(_ facts: Order, around: OrderSurroundings, _ effects: inout OrderEffects) {
        let assessment = OrderAssessment(of: facts, mapping: around.mapping, policy: around.policy)
        order = assessment.order
        lines = assessment.lines
        applyCancellation(around, &effects)
        applyHolds(assessment.holds, around, &effects)
        if !facts.status.awaitsPayment {
            reservedUntil = nil
        } else if reservedUntil == nil {
            reservedUntil = facts.placedAt.addingTimeInterval(
                around.policy.unpaidReserveSeconds - around.clockAheadSeconds)
        }
    }

    private mutating func applyCancellation(_ around: OrderSurroundings, _ effects: inout OrderEffects) {
        let next = OrderCancellationRule.next(
            after: cancellation, status: order.status, report: report, now: around.now,
            shipLagSeconds: around.policy.shipLagSeconds)
        if next.isRefused {
            effects.notes.append(
                OrderEffects.Note(
                    "refused",
                    "The shop says '\(order.status.shopStatus.prefix(60))', but the order is "
                        + "\(cancellation?.rawValue ?? "not cancelled"), and stays so."))
            if cancellation == .cancelled { effects.tasks.append(.reopened) }
        }
        guard next.state != cancellation else { return }
        cancellation = next.state
        effects.notes.append(
            OrderEffects.Note("cancellation", next.state.map { "It is \($0.rawValue)." } ?? "It is open again."))
        switch next.state {
        case .cancelled: if let report, !report.asCancelled { effects.tasks.append(.stopAtERP) }
        case .requested: effects.tasks.append(.decide)
        default: break
        }
    }

    /// A cancelled order is not kept back: it has nowhere to go but into the next report's changes.
    private mutating func applyHolds(
        _ found: [OrderHold], _ around: OrderSurroundings, _ effects: inout OrderEffects
    ) {
        var found = order.status.isCancelled ? [] : found.without(released: released)
        if let unreadable {
            found.append(OrderHold(.unreadable, "The shop's newest answer about it cannot be read: \(unreadable)"))
        }
        guard found != holds else { return }
        effects.holdsChanged = true
        let codes = found.map(\.code.rawValue).joined(separator: ", ")
        effects.notes.append(
            found.isEmpty
                ? OrderEffects.Note("free", "Nothing keeps it back any more.")
                : OrderEffects.Note("held", "Kept back: \(codes)."))
        holds = found
        heldAt = found.isEmpty ? nil : heldAt ?? around.now
    }

    private static func refunded(_ order: Order) -> Amount { order.refunds.reduce(.zero) { $0 + $1.amount } }
}
