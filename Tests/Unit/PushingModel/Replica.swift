import Domain
import Foundation

/// One stock-publisher: handles one request at a time, and may die or stall between any two steps.
struct Replica {
    let name: String
    var step = Step.idle
    var message: World.Message?
    var stalledUntil = 0

    enum Step {
        case idle
        case claimed(PushClaim)
        case reading(PushClaim, from: Int, level: Int)
        case mayWrite(PushClaim)
        case checked(PushClaim)
        case awaiting(PushClaim, write: Int, timeout: Int)
        case answered(PushClaim, PushResult)
    }

    func awaits(_ write: Int) -> Bool {
        if case .awaiting(_, write, _) = step { return true }
        return false
    }
}

extension World {
    /// One step of one replica: a transaction, or one half of a call.
    mutating func step(_ index: Int) {
        guard replicas[index].stalledUntil <= now else { return }
        switch replicas[index].step {
        case .idle:
            takeMessage(index)
        case .claimed(let claim):
            if claim.readFirst {
                guard let shelf = replicas[index].message?.shelf else { return }
                replicas[index].step = .reading(claim, from: now, level: shops[shelf].stock)
            } else {
                replicas[index].step = .mayWrite(claim)
            }
        case .reading(let claim, let from, let level):
            decideAfterReading(index, claim, ObservedStock(level: level, readFrom: date(from), readTo: date(now)))
        case .mayWrite(let claim):
            if claim.maySend(at: date(now)) {
                replicas[index].step = .checked(claim)
                // Stopping between this check and the call is what no clock can rule out: a stray.
                if !scenario.strays || !chance.chance(30) { send(index, claim) }
            } else {
                replicas[index].step = .answered(claim, .notSent(.deadline))
            }
        case .checked(let claim):
            send(index, claim)
        case .awaiting(let claim, let write, let timeout):
            awaitAnswer(index, claim, write, timeout)
        case .answered(let claim, let result):
            record(index, claim, result)
        }
    }

    /// The process dies; the broker gives its request to somebody else.
    mutating func crash(_ index: Int) {
        if let message = replicas[index].message { messages.append(message) }
        replicas[index] = Replica(name: replicas[index].name)
    }

    // MARK: - Claim

    private mutating func takeMessage(_ index: Int) {
        if messages.isEmpty || messages.allSatisfy({ $0.notBefore > now }) { return }
        var place = chance.number(0...(messages.count - 1))
        while messages[place].notBefore > now { place = (place + 1) % messages.count }
        let message = messages.remove(at: place)
        replicas[index].message = message
        claim(index, message)
    }

    private mutating func claim(_ index: Int, _ message: Message) {
        let shelf = message.shelf
        if scenario.sabotage == .noLease, rows[shelf].claim != nil { rows[shelf].claim = nil }
        if scenario.sabotage == .deduplicateByQuantity, rows[shelf].wanted == rows[shelf].confirmedLevel {
            return acknowledge(index)
        }
        let decision = rows[shelf].claim(
            for: PushRequest(version: message.version), owner: replicas[index].name, now: date(now),
            policy: policy(shelf), around: surroundings)
        switch decision {
        case .push(let claim):
            if !claim.readFirst { checkIncrease(shelf, claim, known: rows[shelf].expectedAtShop) }
            replicas[index].step = .claimed(claim)
        case .nothing(.held), .nothing: acknowledge(index)
        case .wait(let until): giveBack(index, until: until)
        case .deferred(_, let until): giveBack(index, until: until ?? date(now + 30))
        case .takeReserve(let shops):
            takeReserve(shelf, shops)
            giveBack(index, until: date(now))
        }
    }

    private mutating func takeReserve(_ shelf: Int, _ stale: [ShopName]) {
        let all = Set(stale + deadShops).sorted()
        let cause = Int(rows[shelf].cause?.timeIntervalSince1970 ?? Double(now))
        want(shelf, level(reservedFor: all), cause: cause, reservedFor: all)
    }

    private mutating func acknowledge(_ index: Int) {
        replicas[index].message = nil
        replicas[index].step = .idle
    }

    private mutating func giveBack(_ index: Int, until: Date) {
        if var message = replicas[index].message {
            message.notBefore = max(now + 1, Int(until.timeIntervalSince1970.rounded(.up)))
            messages.append(message)
        }
        acknowledge(index)
    }

    // MARK: - Read and write

    private mutating func decideAfterReading(_ index: Int, _ claim: PushClaim, _ observed: ObservedStock) {
        guard let shelf = replicas[index].message?.shelf else { return }
        let decision = rows[shelf].afterReading(
            claim, observed: observed, now: date(now), policy: policy(shelf), around: surroundings)
        if decision != .claimLost { shops[shelf].baseline = observed.level }
        switch decision {
        case .write(let current):
            checkIncrease(shelf, current, known: observed.level)
            replicas[index].step = .mayWrite(current)
        case .asWanted: finish(index, shelf)
        case .deferred(_, let until): giveBack(index, until: until ?? date(now + 30))
        case .takeReserve(let shops):
            takeReserve(shelf, shops)
            giveBack(index, until: date(now))
        case .fetchOrders:
            noticed[shelf] = now
            // The orders may take a while to come.
            if chance.chance(500) { collect(shelf) }
            giveBack(index, until: date(now))
        case .held: acknowledge(index)
        case .claimLost: giveBack(index, until: date(now + 1))
        }
    }

    private mutating func send(_ index: Int, _ claim: PushClaim) {
        guard let message = replicas[index].message else { return }
        let shelf = message.shelf
        checkBeforeSending(shelf, claim)
        let level = scenario.sabotage == .quantityInMessage ? message.level : claim.level
        let isStray = scenario.strays && chance.chance(60)
        let isLost = chance.chance(scenario.lossesPerThousand)
        let delay = isStray ? chance.number(Self.life...(Self.life * 4)) : chance.number(1...15)
        let late = isLost && chance.chance(500) ? chance.number(1...(Self.life - 1)) : delay
        let arrives: Int? = isLost && chance.chance(300) ? nil : now + late
        let id = Int(chance.next() >> 2)
        let isPunctual = claim.maySend(at: date(now)) && (arrives ?? now) < now + Self.life
        writes.append(
            Write(shelf: shelf, level: level, began: now, arrives: arrives, isPunctual: isPunctual, id: id))
        replicas[index].step = .awaiting(claim, write: id, timeout: isLost ? now + 16 : now + 30)
    }

    private mutating func awaitAnswer(_ index: Int, _ claim: PushClaim, _ id: Int, _ timeout: Int) {
        guard let write = writes.first(where: { $0.id == id }) else {
            replicas[index].step = .answered(claim, .lostAnswer(began: claim.claimedAt, "time-out"))
            return
        }
        let isLost = timeout == write.began + 16
        if !isLost, let arrives = write.arrives, arrives <= now {
            replicas[index].step = .answered(claim, .confirmed(began: date(write.began)))
        } else if now >= timeout {
            replicas[index].step = .answered(claim, .lostAnswer(began: date(write.began), "time-out"))
        }
    }

    private mutating func record(_ index: Int, _ claim: PushClaim, _ result: PushResult) {
        guard let shelf = replicas[index].message?.shelf else { return }
        if scenario.sabotage == .noVersionCheck { rows[shelf].claim = claim }
        rows[shelf].record(result, of: claim, now: date(now), policy: policy(shelf))
        if scenario.sabotage == .noWaitAfterLostAnswer {
            rows[shelf].unknownUntil = nil
            rows[shelf].readBackRequired = false
        }
        finish(index, shelf)
    }

    /// The outcome and, where it is due, the next request are one transaction; the acknowledgement comes after.
    private mutating func finish(_ index: Int, _ shelf: Int) {
        if rows[shelf].isDue { ask(shelf, notBefore: Int(rows[shelf].wakeAt?.timeIntervalSince1970 ?? 0)) }
        acknowledge(index)
    }

    // MARK: - Promises

    private mutating func checkBeforeSending(_ shelf: Int, _ claim: PushClaim) {
        let others = writes.filter { write in
            write.shelf == shelf && write.isPunctual && write.arrives.map { $0 > now } ?? false
        }
        let isPunctual = claim.maySend(at: date(now))
        if !others.isEmpty && isPunctual {
            fail("two writes in flight for \(shops[shelf].name): \(others[0].level) and \(claim.level)")
        }
    }

    /// Called when the decision to write has fallen: `known` is what the shop has as far as anybody can tell.
    private mutating func checkIncrease(_ shelf: Int, _ claim: PushClaim, known: Int?) {
        guard claim.level > known ?? -1, let wish = wishes[shelf][claim.version] else { return }
        if let at = noticed[shelf], shops[shelf].completeUpTo <= at, scenario.sabotage != .noFeedGate,
            !rows[shelf].reservedFor.contains(shops[shelf].name)
        {
            fail("\(shops[shelf].name) was raised over a sale that was noticed and whose order had not come yet")
        }
        for (index, shop) in shops.enumerated() where scenario.collected[index] {
            let isFresh = shop.completeUpTo > wish.cause
            if !isFresh && !wish.reservedFor.contains(shop.name) {
                fail("\(shops[shelf].name) was raised to \(claim.level) while the feed of \(shop.name) was stale")
            }
        }
    }

    mutating func fail(_ text: String) {
        if violation == nil { violation = text }
    }
}
