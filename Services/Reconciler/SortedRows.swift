import Domain
import PostgreSQL

/// Rows of one table in the order of their listings, fetched some thousands at a time: one side of a merge, with memory
/// that does not grow with the table.
final class SortedRows<Element> {
    private let fetch: (String) throws -> [(ListingID, Element)]
    private var rows: ArraySlice<(ListingID, Element)> = []
    private var last: ListingID?
    private var isAtEnd = false

    /// - Parameter sql: Gives the listing as its first column, sorted by it; the last parameter is the listing after
    ///   which to go on, and the statement limits itself to `SortedRowsLimit.rows` rows.
    init(
        _ sql: String, _ parameters: [PostgresValue], in transaction: Transaction,
        decode: @escaping (Row) throws -> Element
    ) {
        fetch = { after in
            try transaction.query(sql, parameters + [.text(after)]).map {
                (ListingID(rawValue: try $0.decode(at: 0)), try decode($0))
            }
        }
    }

    /// The next listing, without taking it; nil at the end.
    func key() throws -> ListingID? {
        while true {
            if let first = rows.first {
                // A shop may name a listing twice in one reading: the first one counts.
                if first.0 != last { return first.0 }
                rows.removeFirst()
            } else {
                guard !isAtEnd else { return nil }
                rows = try fetch(last?.rawValue ?? "")[...]
                isAtEnd = rows.count < SortedRowsLimit.rows
                if rows.isEmpty { return nil }
            }
        }
    }

    /// Takes the row if it is that listing's.
    func take(_ listing: ListingID) throws -> Element? {
        guard try key() == listing, let first = rows.popFirst() else { return nil }
        last = listing
        return first.1
    }
}

/// How many rows a side of a merge fetches at a time.
enum SortedRowsLimit {
    static let rows = 4_000
}

/// The smaller of two keys; nil if both sides are at their end.
func earlier(_ left: ListingID?, _ right: ListingID?) -> ListingID? {
    guard let left else { return right }
    guard let right else { return left }
    return right < left ? right : left
}
