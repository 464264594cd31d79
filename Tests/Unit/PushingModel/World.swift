import Domain
import Foundation

/// One article, one warehouse, several shops: everything around the decisions, in memory and under one clock.
struct World {
    static let life = 60
    static let sendWithin = 20
    static let staleAfter = 300
    static let tolerance = 2
    static let reserve = 3

    var scenario: Scenario
    var chance: SeededGenerator
    var now = 1_000
    var violation: String?

    // What the ERP says.
    var live = (asOf: 0, onHand: 20)
    var files: [(asOf: Int, onHand: Int)] = []
    var newestFile = (asOf: 0, onHand: 20)

    var shops: [ModelShop]
    var rows: [ShelfState]
    var messages: [Message] = []
    var replicas: [Replica]
    var writes: [Write] = []
    /// What the model itself remembers of each wanted level: row, version -> cause, and whose reserve was out.
    var wishes: [[Int64: Wish]]

    /// When a reading last showed fewer than the orders known explain, by shelf.
    var noticed: [Int: Int] = [:]

    struct Wish { var level: Int; var cause: Int; var reservedFor: [ShopName] }

    /// A push request on its way; it comes at any time after `notBefore`, in any order, perhaps twice.
    struct Message { var shelf: Int; var version: Int64; var level: Int; var notBefore: Int }

    /// An absolute write under way to a shop. `arrives` is nil if it never will.
    struct Write {
        var shelf: Int; var level: Int; var began: Int; var arrives: Int?; var isPunctual: Bool; var id: Int
    }

    init(seed: UInt64, sabotage: Sabotage) {
        chance = SeededGenerator(seed: seed)
        scenario = Scenario(using: &chance, sabotage: sabotage)
        shops = (0..<scenario.shops).map { ModelShop(name: ShopName("shop\($0)"), stock: 0) }
        rows = shops.map { _ in ShelfState() }
        wishes = shops.map { _ in [:] }
        replicas = (0..<scenario.replicas).map { Replica(name: "replica\($0)") }
    }

    func date(_ seconds: Int) -> Date { Date(timeIntervalSince1970: Double(seconds)) }

    func policy(_ shelf: Int) -> PushPolicy {
        PushPolicy(
            sendWithinSeconds: Double(Self.sendWithin), requestLifeSeconds: Double(Self.life),
            clockToleranceSeconds: Double(Self.tolerance), feedStaleAfterSeconds: Double(Self.staleAfter),
            readBeforeWrite: scenario.readBeforeWrite || !scenario.collected[shelf],
            ordersAreCollected: scenario.collected[shelf])
    }

    var feeds: [OrderFeed] {
        shops.indices.map { index in
            OrderFeed(
                shop: shops[index].name,
                completeUpTo: scenario.collected[index] ? date(shops[index].completeUpTo) : nil)
        }
    }

    var surroundings: PushSurroundings { PushSurroundings(feeds: scenario.sabotage == .noFeedGate ? [] : feeds) }

    // MARK: - Levels

    /// What every shop may show: the file, less the collected orders it does not know, less reserves.
    func level(reservedFor: [ShopName]) -> Int {
        let open = shops.reduce(0) { $0 + $1.openUnits(after: live.asOf) }
        let inputs = LevelInputs(
            warehouses: [WarehouseStock(warehouse: "W", onHand: Quantity(live.onHand))], open: Quantity(open),
            staleReserve: Quantity(Self.reserve * reservedFor.count))
        return inputs.breakdown().level
    }

    /// Shops whose feed has been stale for so long that their reserve is kept back.
    var deadShops: [ShopName] {
        shops.indices.filter { scenario.collected[$0] && shops[$0].completeUpTo + Self.staleAfter <= now }
            .map { shops[$0].name }
    }

    mutating func recompute(cause: Int) {
        let dead = deadShops
        for shelf in rows.indices { want(shelf, level(reservedFor: dead), cause: cause, reservedFor: dead) }
    }

    mutating func want(_ shelf: Int, _ level: Int, cause: Int, reservedFor: [ShopName]) {
        let changed = rows[shelf].want(level, cause: date(cause), reservedFor: reservedFor)
        let version = rows[shelf].version
        let first = wishes[shelf][version]?.cause ?? cause
        wishes[shelf][version] = Wish(level: level, cause: first, reservedFor: reservedFor)
        if changed { ask(shelf) }
    }

    mutating func ask(_ shelf: Int, notBefore: Int = 0) {
        let row = rows[shelf]
        messages.append(
            Message(shelf: shelf, version: row.version, level: row.wanted ?? 0, notBefore: notBefore))
    }

    // MARK: - The outside

    mutating func sendFile() {
        guard now > newestFile.asOf else { return }
        newestFile = (asOf: now, onHand: chance.number(0...30))
        files.append(newestFile)
    }

    mutating func receiveFile() {
        guard !files.isEmpty else { return }
        let file = files.remove(at: chance.number(0...(files.count - 1)))
        let isNewer = SnapshotOrder(asOf: date(file.asOf), comparedTo: date(live.asOf)) == .newer
        guard isNewer || scenario.sabotage == .noSnapshotOrder else { return }
        live = file
        recompute(cause: now)
    }

    mutating func sell() {
        let shop = chance.number(0...(shops.count - 1))
        let skew = chance.number(-Self.tolerance...Self.tolerance) / 2
        shops[shop].sell(chance.number(1...3), at: now, clockSays: now + skew)
    }

    /// Brings the ledger up to date with one shop's orders.
    mutating func collect(_ shop: Int) {
        guard scenario.collected[shop] else { return }
        let sales = shops[shop].collect(upTo: now)
        for sale in sales {
            rows[shop].noteOwnSale(units: sale.units, placedAt: date(sale.clock), policy: policy(shop))
        }
        recompute(cause: sales.map(\.clock).max() ?? now)
        for shelf in rows.indices where rows[shelf].isDue && (rows[shelf].deferral == .feeds || shelf == shop) {
            ask(shelf)
        }
    }

    mutating func advance(by seconds: Int) {
        let before = now
        now += seconds
        let arriving = writes.filter { $0.arrives.map { $0 > before && $0 <= now } ?? false }
        for write in arriving.sorted(by: { ($0.arrives ?? 0) < ($1.arrives ?? 0) }) {
            shops[write.shelf].set(write.level)
        }
        writes = writes.filter { write in
            let isOver = write.arrives.map { $0 <= now } ?? true && write.began + Self.life < now
            return !isOver || replicas.contains { $0.awaits(write.id) }
        }
    }
}

/// A shop that takes absolute writes and has no compare-and-set.
struct ModelShop {
    let name: ShopName
    var stock: Int
    /// What the last write left, or the last reading that was made use of; the shop's own sales since do not change it.
    var baseline: Int
    var sales: [Sale] = []
    var collected = 0
    var completeUpTo = 0

    struct Sale { var units: Int; var placed: Int; var clock: Int }

    init(name: ShopName, stock: Int) {
        self.name = name
        self.stock = stock
        baseline = stock
    }

    mutating func set(_ level: Int) {
        stock = level
        baseline = level
    }

    mutating func sell(_ units: Int, at now: Int, clockSays clock: Int) {
        let sold = min(units, stock)
        guard sold > 0 else { return }
        stock -= sold
        sales.append(Sale(units: sold, placed: now, clock: clock))
    }

    mutating func collect(upTo now: Int) -> [Sale] {
        defer { (collected, completeUpTo) = (sales.count, now) }
        return Array(sales[collected...])
    }

    /// Units on collected orders that a file of this time does not know yet.
    func openUnits(after asOf: Int) -> Int {
        sales[..<collected].reduce(0) { $0 + ($1.placed > asOf ? $1.units : 0) }
    }
}
