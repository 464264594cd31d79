import Domain
import Testing

@Suite("Which orders stand where in an order report")
struct ReportSelectionTests {
    @Test("an order's place follows from what was sent of it and what keeps it back")
    func places() {
        func place(_ newest: Int, _ carried: Int?, _ edit: (inout ReportCandidate) -> Void = { _ in }) -> ReportPlace? {
            var order = ReportCandidate(newest: newest, carried: carried)
            edit(&order)
            return ReportSelection.place(of: order)
        }
        #expect(place(1, nil) == .lines)
        #expect(place(3, nil) == .lines)
        #expect(place(1, 1) == nil)
        #expect(place(2, 1) == .changes)
        #expect(place(1, nil) { $0.isHeld = true } == .held)
        #expect(place(1, nil) { $0.awaitsPayment = true } == .held)
        // What was sent and is held now waits, but is not passed over in silence.
        #expect(place(2, 1) { $0.isHeld = true } == .held)
        // Nothing new to say: nothing is left out.
        #expect(place(1, 1) { $0.isHeld = true } == nil)
        // Cancelled before it was ever sent: counted once, whatever else is wrong with it.
        #expect(place(2, nil) { $0.isWithdrawn = true } == .counted)
        #expect(place(2, nil) { ($0.isCancelled, $0.isHeld) = (true, true) } == .counted)
        #expect(place(2, nil) { ($0.isWithdrawn, $0.isCounted) = (true, true) } == nil)
        // Sent and cancelled: the ERP must learn of it, even of a held one.
        #expect(place(2, 1) { $0.isCancelled = true } == .changes)
        #expect(place(2, 1) { ($0.isCancelled, $0.isHeld) = (true, true) } == .changes)
        // A wish that came too late is an ordinary change.
        #expect(place(2, 1) { $0.isWithdrawn = true } == .changes)
        // Sent once more on somebody's wish.
        #expect(place(2, 1) { $0.isRepeated = true } == .lines)
        #expect(place(2, 1) { ($0.isRepeated, $0.isCancelled) = (true, true) } == .changes)
    }

    @Test(
        "in any history every revision is in one batch or replaced by one that is, and nothing is twice on Lines",
        arguments: 1...300)
    func histories(_ seed: Int) {
        var random = SplitMix(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var ledger = Ledger(orders: 6)
        for _ in 0..<80 {
            ledger.step(&random)
            if let problem = ledger.problem { Issue.record("seed \(seed): \(problem)") }
        }
        ledger.releaseEverything()
        ledger.report()
        if let problem = ledger.problem { Issue.record("seed \(seed): \(problem)") }
        for order in ledger.orders {
            let open = order.fates.filter { $0 == nil }.count
            #expect(open == 0, "seed \(seed): \(open) statements have no fate")
        }
    }
}

/// A ledger as erp-bridge keeps it, with orders that change at random.
private struct Ledger {
    enum Fate: Equatable {
        case carried(batch: Int)
        case superseded(batch: Int)
        case counted(batch: Int)

        var batch: Int {
            switch self {
            case .carried(let batch), .superseded(let batch), .counted(let batch): batch
            }
        }
    }

    struct Entry {
        var order: Int
        var place: ReportPlace
        var before: ReportCandidate
        var fatesBefore: [Fate?]
    }

    struct Tracked {
        var candidate = ReportCandidate(newest: 1)
        var fates: [Fate?] = [nil]
        /// How often it may stand on Lines: once, and once more for each time that somebody asked.
        var allowedOnLines = 1
        var timesOnLines = 0
    }

    var orders: [Tracked]
    var problem: String?
    private var batch = 0
    /// The last batch, while it has not gone out.
    private var unsent: [Entry] = []

    init(orders: Int) { self.orders = Array(repeating: Tracked(), count: orders) }

    mutating func step(_ random: inout SplitMix) {
        let index = Int(random.next() % UInt64(orders.count))
        switch random.next() % 12 {
        case 0...3: say(index) { _ in }
        case 4: say(index) { $0.isHeld.toggle() }
        // A hold of ours is nothing to tell the ERP.
        case 5: orders[index].candidate.isHeld.toggle()
        case 6: say(index) { $0.awaitsPayment.toggle() }
        case 7: say(index) { ($0.isWithdrawn, $0.isCancelled) = (true, $0.carried == nil || $0.newest % 2 == 0) }
        case 8: say(index) { ($0.isWithdrawn, $0.isCancelled) = (false, false) }
        case 9: sendAgain(index)
        case 10: void()
        default: report()
        }
    }

    mutating func releaseEverything() {
        for index in orders.indices {
            orders[index].candidate.isHeld = false
            orders[index].candidate.awaitsPayment = false
        }
    }

    private mutating func say(_ index: Int, _ edit: (inout ReportCandidate) -> Void) {
        orders[index].candidate.newest += 1
        orders[index].candidate.isCounted = false
        edit(&orders[index].candidate)
        orders[index].fates.append(nil)
    }

    private mutating func sendAgain(_ index: Int) {
        let candidate = orders[index].candidate
        guard let carried = candidate.carried, !candidate.isRepeated else { return }
        if carried == candidate.newest { say(index) { _ in } }
        orders[index].candidate.isRepeated = true
        orders[index].allowedOnLines += 1
    }

    mutating func report() {
        batch += 1
        unsent = []
        for index in orders.indices {
            let before = orders[index]
            guard let place = ReportSelection.place(of: before.candidate) else { continue }
            unsent.append(
                Entry(order: index, place: place, before: before.candidate, fatesBefore: before.fates))
            orders[index].candidate = ReportSelection.settled(before.candidate, at: place)
            guard place != .held else { continue }
            if place == .lines { orders[index].timesOnLines += 1 }
            let newest = before.candidate.newest
            give(index, newest, place == .counted ? .counted(batch: batch) : .carried(batch: batch))
            for statement in 1..<max(newest, 1) where orders[index].fates[statement - 1] == nil {
                give(index, statement, .superseded(batch: batch))
            }
        }
        check()
    }

    private mutating func give(_ index: Int, _ statement: Int, _ fate: Fate) {
        if let old = orders[index].fates[statement - 1] {
            problem = "statement \(statement) of order \(index) is \(old) and becomes \(fate)"
        }
        orders[index].fates[statement - 1] = fate
    }

    /// The last batch did not go out and is built anew some time.
    private mutating func void() {
        for entry in unsent where entry.place != .held {
            let now = orders[entry.order].candidate
            var candidate = now
            candidate.carried = entry.before.carried
            candidate.isRepeated = now.isRepeated || entry.before.isRepeated
            candidate.isCounted = entry.before.isCounted && now.newest == entry.before.newest
            orders[entry.order].candidate = candidate
            let later = orders[entry.order].fates.dropFirst(entry.fatesBefore.count)
            orders[entry.order].fates = entry.fatesBefore + later
            if entry.place == .lines { orders[entry.order].timesOnLines -= 1 }
        }
        unsent = []
    }

    private mutating func check() {
        for (index, order) in orders.enumerated() {
            if order.timesOnLines > order.allowedOnLines {
                problem = "order \(index) stands \(order.timesOnLines) times on Lines"
            }
            for (position, fate) in order.fates.enumerated() {
                guard case .superseded(let batch) = fate else { continue }
                let isReplaced = order.fates[(position + 1)...].contains {
                    $0 == .carried(batch: batch) || $0 == .counted(batch: batch)
                }
                if !isReplaced { problem = "statement \(position + 1) of order \(index) is replaced by nothing" }
            }
            let open = order.fates.lastIndex(where: { $0 != nil }).map { order.fates[..<$0].contains(nil) } ?? false
            if open { problem = "order \(index) has an older statement without a fate behind one that has" }
        }
    }
}

/// Small, and the same everywhere, so that a seed tells the whole story.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
