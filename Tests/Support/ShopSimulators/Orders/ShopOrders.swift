import Foundation

/// The orders of a simulated shop, with indexes by time. A value: locking is somebody else's business.
struct ShopOrders: Sendable {
    /// A time in whole seconds since 1970, and an order.
    struct Key: Sendable, Comparable {
        let second: Int
        let id: Int

        static func < (left: Key, right: Key) -> Bool {
            left.second == right.second ? left.id < right.id : left.second < right.second
        }
    }

    /// Orders sorted by one of their times, then by id. Those in the bin are not in it.
    struct Index: Sendable {
        private(set) var keys: [Key] = []

        /// The first place whose key is not before `key`.
        func place(of key: Key) -> Int {
            var (low, high) = (0, keys.count)
            while low < high {
                let middle = (low + high) / 2
                if keys[middle] < key { low = middle + 1 } else { high = middle }
            }
            return low
        }

        /// Keys with `after` < second < `before`.
        func range(after: Int?, before: Int?) -> Range<Int> {
            let low = after.map { place(of: Key(second: $0 + 1, id: .min)) } ?? 0
            let high = before.map { place(of: Key(second: $0, id: .min)) } ?? keys.count
            return low..<max(low, high)
        }

        mutating func insert(_ key: Key) {
            if keys.last.map({ $0 < key }) ?? true { keys.append(key) } else { keys.insert(key, at: place(of: key)) }
        }

        mutating func remove(_ key: Key) {
            let place = place(of: key)
            if place < keys.count, keys[place] == key { keys.remove(at: place) }
        }
    }

    static let firstID = 10_001
    /// In the order of their ids, without gaps.
    private var orders: [SimulatedOrder] = []
    private(set) var byUpdate = Index()
    private(set) var byPlacement = Index()
    /// Ids of orders in the bin.
    private(set) var deleted: Set<Int> = []
    /// What happened since it was last asked for.
    private(set) var events: [OrderEvent] = []
    private var lastPart = 500
    /// Grows with every change.
    private(set) var revision = 0

    var count: Int { orders.count }
    var nextID: Int { Self.firstID + orders.count }
    /// Ids of all orders, in the bin or not.
    var ids: Range<Int> { Self.firstID..<nextID }

    subscript(_ id: Int) -> SimulatedOrder? {
        ids.contains(id) ? orders[id - Self.firstID] : nil
    }

    /// An id for a line, a note, a refund or a code.
    mutating func nextPartID() -> Int {
        lastPart += 1
        return lastPart
    }

    /// - Parameter silently: nobody who subscribed hears of it.
    mutating func add(_ order: SimulatedOrder, silently: Bool = false) {
        precondition(order.id == nextID, "ids have no gaps")
        revision += 1
        orders.append(order)
        byUpdate.insert(Self.updateKey(order))
        byPlacement.insert(Self.placementKey(order))
        if !silently { events.append(OrderEvent(kind: .created, orderID: order.id)) }
    }

    /// Changes an order at a time of the shop's clock.
    mutating func change(
        _ id: Int, at now: Date, as kind: OrderEvent.Kind, _ change: (inout SimulatedOrder) -> Void
    ) {
        guard ids.contains(id) else { return }
        revision += 1
        let position = id - Self.firstID
        let before = orders[position]
        change(&orders[position])
        orders[position].updatedAt = max(before.updatedAt, now)
        let after = orders[position]
        if !before.facts.isDeleted { byUpdate.remove(Self.updateKey(before)) }
        if !after.facts.isDeleted { byUpdate.insert(Self.updateKey(after)) }
        if before.facts.isDeleted != after.facts.isDeleted {
            if after.facts.isDeleted { deleted.insert(id) } else { deleted.remove(id) }
            let key = Self.placementKey(after)
            if after.facts.isDeleted { byPlacement.remove(key) } else { byPlacement.insert(key) }
        }
        events.append(OrderEvent(kind: kind, orderID: id))
    }

    /// A note is no change of the order: its time stays.
    mutating func add(_ note: ShopNote, to id: Int) {
        if ids.contains(id) { orders[id - Self.firstID].shopNotes.append(note) }
    }

    mutating func takeEvents() -> [OrderEvent] {
        defer { events = [] }
        return events
    }

    static func updateKey(_ order: SimulatedOrder) -> Key { Key(second: second(order.updatedAt), id: order.id) }
    static func placementKey(_ order: SimulatedOrder) -> Key { Key(second: second(order.placedAt), id: order.id) }
    static func second(_ date: Date) -> Int { Int(date.timeIntervalSince1970.rounded(.down)) }
}
