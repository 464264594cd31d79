import Domain

/// What may go wrong in one run of the model; drawn from the seed.
struct Scenario {
    var shops: Int
    var replicas: Int
    /// Shops whose orders are collected; the others' stock is read before each write, and their feed counts as fresh.
    var collected: [Bool]
    var readBeforeWrite: Bool
    /// Writes may arrive after the longest life of a request: all that can be promised then is that it is noticed.
    var strays: Bool
    var crashesPerThousand: Int
    var lossesPerThousand: Int
    var sabotage: Sabotage

    init(using chance: inout SeededGenerator, sabotage: Sabotage) {
        shops = chance.number(2...3)
        replicas = chance.number(2...3)
        collected = []
        for _ in 0..<shops { collected.append(chance.chance(700)) }
        readBeforeWrite = chance.chance(500)
        strays = chance.chance(300)
        crashesPerThousand = chance.chance(700) ? chance.number(5...60) : 0
        lossesPerThousand = chance.chance(700) ? chance.number(10...300) : 0
        self.sabotage = sabotage
    }
}

/// A defence taken out, to show that the model notices.
enum Sabotage: String, CaseIterable {
    case none
    /// A late result of an older claim is recorded as if it were the current one's.
    case noVersionCheck
    /// Somebody else's live claim does not stop a replica.
    case noLease
    /// Increases do not wait for the order feeds.
    case noFeedGate
    /// After a lost answer the shelf is written again at once, or believed to be what it was.
    case noWaitAfterLostAnswer
    /// A request counts as done when the level confirmed last is the wanted one, whatever came between.
    case deduplicateByQuantity
    /// The request's level is written instead of the row's.
    case quantityInMessage
    /// An older file replaces a newer one.
    case noSnapshotOrder
}
