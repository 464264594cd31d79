import Domain
import Foundation

extension World {
    /// Runs one seed to the end: trouble first, then quiet, then the promises are checked.
    ///
    /// - Returns: what was broken; nil if every promise was kept.
    static func run(seed: UInt64, steps: Int = 250, sabotage: Sabotage = .none) -> String? {
        var world = World(seed: seed, sabotage: sabotage)
        world.recompute(cause: world.now)
        for _ in 0..<steps where world.violation == nil { world.trouble() }
        if world.violation == nil { world.settleDown() }
        return world.violation
    }

    private mutating func trouble() {
        switch chance.number(0...99) {
        case 0..<4: sendFile()
        case 4..<9: receiveFile()
        case 9..<17: sell()
        case 17..<25: collect(chance.number(0...(shops.count - 1)))
        case 25..<29: duplicateMessage()
        case 29..<45: advance(by: chance.chance(60) ? chance.number(30...200) : chance.number(1...8))
        default: runSomeReplica()
        }
    }

    private mutating func runSomeReplica() {
        let index = chance.number(0...(replicas.count - 1))
        if chance.chance(scenario.crashesPerThousand) { return crash(index) }
        if chance.chance(15) { replicas[index].stalledUntil = now + chance.number(20...150) }
        step(index)
    }

    private mutating func duplicateMessage() {
        guard let message = messages.randomElement(using: &chance) else { return }
        messages.append(message)
    }

    /// No more faults: everything under way arrives, every feed is collected, every request is handled.
    private mutating func settleDown() {
        while !files.isEmpty { receiveFile() }
        drain()
        if scenario.strays { readEverythingBack() }
        check()
    }

    private mutating func drain() {
        scenario.crashesPerThousand = 0
        scenario.lossesPerThousand = 0
        let hadStrays = scenario.strays
        scenario.strays = false
        defer { scenario.strays = hadStrays }
        var versions: [Int64] = []
        for round in 0..<400 {
            if round % 10 == 0 { for shop in shops.indices { collect(shop) } }
            for shelf in rows.indices where rows[shelf].held != nil {
                rows[shelf].releaseHold()
                ask(shelf)
            }
            for _ in 0..<6 { for index in replicas.indices { step(index) } }
            advance(by: 5)
            guard round % 10 == 9, isQuiet else { continue }
            // Quiet is when a whole round of collecting orders changed nothing either.
            if rows.map(\.version) == versions { return }
            versions = rows.map(\.version)
        }
        fail("does not come to rest: \(messages.count) requests left")
    }

    private var isQuiet: Bool {
        messages.isEmpty && replicas.allSatisfy { $0.message == nil }
            && !writes.contains { $0.arrives.map { $0 > now } ?? false }
    }

    /// What reconciliation does after every run: read, compare, ask for a repair with the value seen.
    private mutating func readEverythingBack() {
        advance(by: Self.life * 4)
        for shelf in rows.indices {
            let observed = ObservedStock(level: shops[shelf].stock, readFrom: date(now), readTo: date(now + 1))
            shops[shelf].baseline = observed.level
            advance(by: 1)
            if rows[shelf].repair(observed) {
                let version = rows[shelf].version
                wishes[shelf][version] = Wish(
                    level: rows[shelf].wanted ?? 0, cause: now, reservedFor: rows[shelf].reservedFor)
            }
            if rows[shelf].isDue { ask(shelf) }
        }
        drain()
    }

    private mutating func check() {
        if live != newestFile { fail("the file as of \(newestFile.asOf) lost to the one as of \(live.asOf)") }
        let level = level(reservedFor: deadShops)
        for shelf in rows.indices {
            let shop = shops[shelf]
            if rows[shelf].wanted != level { fail("\(shop.name) wants an old level") }
            // A shop whose orders nobody collects goes on selling from what it was last given.
            let shown = scenario.collected[shelf] ? shop.stock : shop.baseline
            if shown != level { fail("\(shop.name) shows \(shown) instead of \(level)") }
            if !rows[shelf].isAsWanted { fail("the row of \(shop.name) is not settled") }
        }
    }
}
