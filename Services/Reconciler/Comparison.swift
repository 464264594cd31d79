import Domain
import Foundation
import PostgreSQL

/// What a statement says about a listing, as far as it decides.
struct StatedListing {
    let shelf: String
    let mapping: ReconciliationFacts.Mapping
    let wanted: Int?
    let unitsPerPack: Int
    let isMissingInFile: Bool
    let confirmed: Int?
    let expectedAtShop: Int?
    let isPending: Bool
    let outcome: ShelfOutcome.Name
    let asOf: Date?

    static let columns = """
        shelf, mapping, wanted, units_per_pack, is_missing_in_file, confirmed, expected_at_shop, is_pending, outcome,
        as_of
        """

    /// Reads the columns above, from position `start`.
    init(_ row: Row, from start: Int) throws {
        shelf = try row.decode(at: start)
        mapping = ReconciliationFacts.Mapping(rawValue: try row.decode(at: start + 1)) ?? .unmapped
        wanted = try row.decode(at: start + 2)
        unitsPerPack = try row.decode(at: start + 3)
        isMissingInFile = try row.decode(at: start + 4)
        confirmed = try row.decode(at: start + 5)
        expectedAtShop = try row.decode(at: start + 6)
        isPending = try row.decode(at: start + 7)
        outcome = ShelfOutcome.Name(rawValue: try row.decode(at: start + 8)) ?? .failed
        asOf = try row.decode(at: start + 9)
    }

    func facts(first: SiteReading?, sharesSKU: Bool, isStale: Bool) -> ReconciliationFacts {
        ReconciliationFacts(
            mapping: mapping, sharesSKU: sharesSKU, wanted: wanted, unitsPerPack: unitsPerPack,
            isMissingInFile: isMissingInFile, confirmed: confirmed, expectedAtShop: expectedAtShop,
            isPending: isPending, outcome: outcome, first: first, isStale: isStale)
    }
}

/// A listing as it was read at the shop. What only differences need is decoded when it is asked for.
struct SeenListing {
    static let columns = "sku, quantity, is_tracked, is_published, shelf, title, read_from, read_to"

    let sku: String?
    let reading: SiteReading
    private let row: Row
    private let start: Int

    /// Reads the columns above, from position `start`.
    init(_ row: Row, from start: Int) throws {
        (self.row, self.start) = (row, start)
        sku = try row.decode(at: start)
        let quantity = try row.decode(at: start + 1, as: Int64?.self).map { Quantity(micro: $0) }
        reading = SiteReading(
            quantity: quantity, isTracked: try row.decode(at: start + 2), isPublished: try row.decode(at: start + 3))
    }

    func shelf() throws -> String { try row.decode(at: start + 4) }
    func title() throws -> String { try row.decode(at: start + 5) }
    func readFrom() throws -> Date { try row.decode(at: start + 6) }
    func readTo() throws -> Date { try row.decode(at: start + 7) }
}

/// The first comparison of a shop: its statement against its reading, both streamed in order of listing.
struct Comparison {
    /// So many differences are stored at a time.
    private static let storedAtOnce = 2_000

    /// How it came out.
    struct Result {
        var compared = 0
        var right = 0
        /// Listings that are to be read once more.
        var again = 0
    }

    private struct Difference {
        let listing: ListingID
        let shelf: String
        let category: ReconciliationCategory
        let sharesSKU: Bool
        let sku: String?
        let title: String
        let reading: SiteReading?
        let readFrom: Date?
        let readTo: Date?

        /// Keeps what it needs of the row, but not the row: that would keep thousands of others in memory.
        init(
            _ listing: ListingID, _ category: ReconciliationCategory, sharesSKU: Bool, _ expected: StatedListing?,
            _ seen: SeenListing?
        ) throws {
            (self.listing, self.category, self.sharesSKU) = (listing, category, sharesSKU)
            shelf = try seen?.shelf() ?? expected?.shelf ?? listing.rawValue
            (sku, reading) = (seen?.sku, seen?.reading)
            title = try seen?.title() ?? ""
            (readFrom, readTo) = (try seen?.readFrom(), try seen?.readTo())
        }
    }

    let shop: RunShop
    let statement: Int64
    let reading: UUID
    let staleUpTo: Date?

    /// Compares, and stores what is not plainly right.
    func run(in transaction: Transaction) throws -> Result {
        let duplicates = try duplicateSKUs(in: transaction)
        let stated = SortedRows(
            """
            SELECT listing, \(StatedListing.columns) FROM statement_listings
            WHERE statement = $1 AND listing > $2 ORDER BY listing LIMIT \(SortedRowsLimit.rows)
            """, [.integer(statement)], in: transaction
        ) { try StatedListing($0, from: 1) }
        let seen = SortedRows(
            """
            SELECT listing, \(SeenListing.columns) FROM readings
            WHERE reading = $1 AND listing > $2 ORDER BY listing LIMIT \(SortedRowsLimit.rows)
            """, [.uuid(reading)], in: transaction
        ) { try SeenListing($0, from: 1) }
        var result = Result()
        var waiting: [Difference] = []
        while let listing = try earlier(stated.key(), seen.key()) {
            let (expected, found) = (try stated.take(listing), try seen.take(listing))
            result.compared += 1
            let shares = found?.sku.map(duplicates.contains) ?? false
            let category = category(expected, found, sharesSKU: shares)
            guard category != .ok else {
                result.right += 1
                continue
            }
            if category.dependsOnReading { result.again += 1 }
            waiting.append(try Difference(listing, category, sharesSKU: shares, expected, found))
            if waiting.count >= Self.storedAtOnce {
                try store(waiting, in: transaction)
                waiting.removeAll(keepingCapacity: true)
            }
        }
        try store(waiting, in: transaction)
        return result
    }

    private func category(
        _ expected: StatedListing?, _ found: SeenListing?, sharesSKU: Bool
    ) -> ReconciliationCategory {
        guard let expected else {
            return ReconciliationFacts(mapping: .unknown, sharesSKU: sharesSKU, wanted: nil, first: found?.reading)
                .category
        }
        let isStale = staleUpTo.map { limit in expected.asOf.map { $0 <= limit } ?? false } ?? false
        return expected.facts(first: found?.reading, sharesSKU: sharesSKU, isStale: isStale).category
    }

    /// SKUs that the shop has on more than one shelf. The listings of one shelf share their stock and may share it.
    private func duplicateSKUs(in transaction: Transaction) throws -> Set<String> {
        let rows = try transaction.query(
            """
            SELECT sku FROM readings WHERE reading = $1 AND sku IS NOT NULL
            GROUP BY sku HAVING min(shelf) <> max(shelf)
            """, [.uuid(reading)])
        return Set(try rows.map { try $0.decode(at: 0, as: String.self) })
    }

    private func store(_ differences: [Difference], in transaction: Transaction) throws {
        guard !differences.isEmpty else { return }
        let columns = [
            "run", "shop", "listing", "shelf", "category", "shares_sku", "second_look", "first_found", "first_quantity",
            "first_tracked", "first_published", "sku", "title", "observed", "read_from", "read_to",
        ]
        try transaction.copy(into: "differences", columns: columns) { writer in
            for difference in differences {
                let reading = difference.reading
                writer.uuid(shop.run)
                writer.text(shop.shop.rawValue)
                writer.text(difference.listing.rawValue)
                writer.text(difference.shelf)
                writer.text(difference.category.rawValue)
                writer.boolean(difference.sharesSKU)
                writer.text(difference.category.dependsOnReading ? "wanted" : "none")
                writer.boolean(reading != nil)
                writer.value(.maybe(reading?.quantity) { .integer($0.micro) })
                writer.value(.maybe(reading?.isTracked) { .boolean($0) })
                writer.value(.maybe(reading?.isPublished) { .boolean($0) })
                writer.text(difference.sku)
                writer.text(difference.title)
                writer.value(.maybe(reading?.quantity) { .integer($0.micro) })
                writer.timestamp(difference.readFrom)
                writer.timestamp(difference.readTo)
                try writer.endRow()
            }
        }
    }
}
