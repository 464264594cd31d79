internal import Domain
internal import Foundation
internal import Transfer

/// Reads the orders of a WooCommerce shop.
///
/// Pages are not numbered pages of WooCommerce's: those shift when an order is edited while they are read. Each piece
/// begins at the second where the last one ended, so what stays as it is comes at least once. A second with more orders
/// than one page holds is read by ids to its end before anything else. WooCommerce compares times in whole seconds and
/// leaves both bounds out; `any` does not hold the bin, so that is asked for by itself.
struct WooCommerceOrders: OrderReading {
    let client: WooCommerceClient
    private var pageSize: Int { WooCommerceConfiguration.platformLimit }
    private var mapping: WooCommerceOrderMapping { WooCommerceOrderMapping(shop: client.configuration.shop) }

    /// Lists to read: the bin, whose orders count as cancelled, and all others.
    private static let statuses = ["trash", "any"]
    /// In a cursor: the window holds nothing in the bin. What is thrown away later changes later, behind the window.
    private static let emptyBin = "n"

    func page(in window: OrderWindow, after cursor: OrderCursor?) async throws(ConnectorError) -> OrderPage {
        let last = Int(window.upTo.timeIntervalSince1970.rounded(.down))
        var first = Int(window.from.timeIntervalSince1970.rounded(.down))
        var statuses = Self.statuses
        if let cursor {
            let isBinEmpty = cursor.rawValue.hasSuffix(Self.emptyBin)
            guard let second = Int(cursor.rawValue.dropLast(isBinEmpty ? 1 : 0)) else {
                throw .invalidCall(
                    ShopCall(shop: client.configuration.shop, action: .readOrders),
                    detail: "the cursor is not one of WooCommerce's")
            }
            first = second
            if isBinEmpty { statuses.removeFirst() }
        }
        guard first <= last else { return OrderPage(orders: [], next: nil) }
        var piece = Piece(time: window.time, first: first, last: last, statuses: statuses)
        for status in statuses {
            do throws(ConnectorError) {
                piece.add(try await list(status, piece.time, first...piece.end, .time))
            } catch .refused(_, 400, _, let message) where message.localizedStandardContains("orderby") {
                // Before WooCommerce 5.8 orders cannot be sorted by their change.
                return try await unsorted(piece)
            }
            if status == Self.statuses[0], piece.isEmpty { piece.statuses.removeFirst() }
        }
        if piece.end == first && piece.isCut { return try await second(piece) }
        return piece.page(total: cursor == nil, next: piece.isCut ? piece.end : nil)
    }

    func order(_ externalID: String) async throws(ConnectorError) -> OrderReadingResult? {
        guard let number = Int(externalID), number > 0 else { return nil }
        do throws(ConnectorError) {
            let answer = try await client.get(
                "orders/\(number)", [("_fields", WooCommerceOrderMapping.fields)], for: .readOrders)
            return mapping.read(try client.tree(of: answer))
        } catch .refused(_, 404, _, _) {
            return nil
        }
    }

    // MARK: - Calls

    /// How a list is sorted.
    private enum Sorting { case time, id }

    private struct List {
        let orders: [OrderReadingResult]
        let total: Int?
        let shopTime: Date?
        let isFull: Bool
    }

    private func list(
        _ status: String, _ time: OrderWindow.Time, _ seconds: ClosedRange<Int>, _ sorting: Sorting, offset: Int = 0
    ) async throws(ConnectorError) -> List {
        let prefix = time == .updated ? "modified_" : ""
        let sortedBy = sorting == .id ? "id" : time == .updated ? "modified" : "date"
        let answer = try await client.get(
            "orders",
            [
                ("_fields", WooCommerceOrderMapping.fields), (prefix + "after", Self.text(seconds.lowerBound - 1)),
                (prefix + "before", Self.text(seconds.upperBound + 1)), ("dates_are_gmt", "true"),
                ("offset", String(offset)), ("order", "asc"), ("orderby", sortedBy), ("per_page", String(pageSize)),
                ("status", status),
            ], for: .readOrders)
        guard case .array(let elements) = try client.tree(of: answer) else {
            throw client.unexpected(answer, "JSON of another shape")
        }
        return List(
            orders: elements.map(mapping.read), total: answer.total,
            shopTime: answer.response.header("Date").flatMap(HTTPDate.parse), isFull: elements.count >= pageSize)
    }

    private static func text(_ second: Int) -> String {
        String(UTCTimestamp.format(Date(timeIntervalSince1970: Double(second))).prefix(19))
    }

    /// All orders of the piece's first second, read by ids; then on with the next second.
    private func second(_ piece: Piece) async throws(ConnectorError) -> OrderPage {
        var whole = Piece(time: piece.time, first: piece.first, last: piece.first, statuses: piece.statuses)
        whole.shopTime = piece.shopTime
        for status in whole.statuses { try await readAll(status, into: &whole) }
        return whole.page(total: false, next: piece.first < piece.last ? piece.first + 1 : nil)
    }

    /// The whole rest of the window at once, sorted here.
    private func unsorted(_ piece: Piece) async throws(ConnectorError) -> OrderPage {
        var whole = Piece(time: piece.time, first: piece.first, last: piece.last, statuses: Self.statuses)
        for status in whole.statuses { try await readAll(status, into: &whole) }
        return whole.page(total: true, next: nil)
    }

    /// Lists by id, each list one order before the place that was reached: as long as that order is still there nothing
    /// was skipped; if it is not, the reading begins again.
    private func readAll(_ status: String, into piece: inout Piece) async throws(ConnectorError) {
        var (offset, lastID): (Int, String?) = (0, nil)
        var restarts = 0
        while true {
            let list = try await list(
                status, piece.time, piece.first...piece.last, .id, offset: max(0, offset - 1))
            if let expected = lastID, list.orders.first?.externalID != expected {
                restarts += 1
                guard restarts < 20 else { throw useless("a list of orders that never stands still") }
                (offset, lastID) = (0, nil)
                continue
            }
            piece.addWhole(list)
            guard list.isFull, let last = list.orders.last else { return }
            guard list.orders.first?.externalID != last.externalID else {
                throw useless("a list of orders that cannot be told from each other")
            }
            offset = max(0, offset - 1) + list.orders.count
            lastID = last.externalID
        }
    }

    private func useless(_ problem: String) -> ConnectorError {
        .malformedAnswer(
            ShopCall(shop: client.configuration.shop, action: .readOrders),
            UnexpectedAnswer(status: 200, contentType: nil, bytes: 0, beginning: "", problem: problem))
    }

    // MARK: - Putting together

    /// What is known of a part of the window.
    private struct Piece {
        let time: OrderWindow.Time
        let first: Int
        let last: Int
        /// The lists that hold anything.
        var statuses: [String]
        /// Up to and with this second the orders are known; in ``isCut`` pieces, this second only in part.
        private(set) var end: Int
        private(set) var isCut = false
        private var orders: [OrderReadingResult] = []
        private var total: Int? = 0
        var shopTime: Date?

        init(time: OrderWindow.Time, first: Int, last: Int, statuses: [String]) {
            (self.time, self.first, self.last, end, self.statuses) = (time, first, last, last, statuses)
        }

        var isEmpty: Bool { orders.isEmpty }

        /// A full list ends somewhere within its last second.
        mutating func add(_ list: List) {
            addWhole(list)
            guard list.isFull else { return }
            end = min(end, max(first, list.orders.compactMap(second).max() ?? first))
            isCut = true
        }

        mutating func addWhole(_ list: List) {
            orders += list.orders
            total = total.flatMap { sum in list.total.map { sum + $0 } }
            shopTime = shopTime ?? list.shopTime
        }

        private func second(_ order: OrderReadingResult) -> Int? {
            moment(order).map { Int($0.timeIntervalSince1970.rounded(.down)) }
        }

        private func moment(_ order: OrderReadingResult) -> Date? {
            switch (order, time) {
            case (.order(let order), .placed): order.placedAt
            default: order.updatedAt
            }
        }

        /// Sorted, once each, without what lies beyond the part that is known.
        func page(total isWhole: Bool, next: Int?) -> OrderPage {
            var seen: Set<String> = []
            let inside = orders.filter { order in
                let isInside = second(order).map { $0 <= end } ?? true
                return isInside && seen.insert(order.externalID).inserted
            }
            let sorted = inside.sorted { left, right in
                let (leftTime, rightTime) = (moment(left) ?? .distantPast, moment(right) ?? .distantPast)
                if leftTime != rightTime { return leftTime < rightTime }
                return (left.externalID.utf8.count, left.externalID) < (right.externalID.utf8.count, right.externalID)
            }
            let suffix = statuses.count < WooCommerceOrders.statuses.count ? WooCommerceOrders.emptyBin : ""
            return OrderPage(
                orders: sorted, next: next.map { OrderCursor(rawValue: "\($0)\(suffix)") },
                total: isWhole ? total : nil, shopTime: shopTime)
        }
    }
}
