internal import Crypto
internal import Domain
internal import Foundation

/// One call of `inventorySetQuantities`: what is sent, and what the answer means for each row. Pure.
///
/// From version 2026-01 on each row says what it replaces (`changeFromQuantity`, null for whatever is there) and the
/// call
/// carries an idempotency key. Before, rows have `compareQuantity`, and one flag turns the comparison off for all: rows
/// that compare and rows that do not cannot share a call, so the latter are left for the next one.
struct ShopifyStockBatch {
    /// What is sent, in this order: errors name rows by their number.
    let rows: [StockWrite]
    /// What is known of the others without a call.
    let unsent: [ListingID: StockWriteResult]
    private let location: String
    private let changesFrom: Bool

    /// A refusal of the whole call that no row can be blamed for.
    struct Refusal: Error {
        let code: String
        let message: String
    }

    static let notStocked = "ITEM_NOT_STOCKED_AT_LOCATION"
    private static let stale: Set<String> = ["CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"]
    /// Another call with the same key runs, or one failed: nobody knows yet, or nothing was done.
    private static let running = "IDEMPOTENCY_CONCURRENT_REQUEST"
    private static let failedBefore = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"

    init(_ writes: [StockWrite], location: String, changesFrom: Bool) {
        self.location = location
        self.changesFrom = changesFrom
        var unsent: [ListingID: StockWriteResult] = [:]
        for write in writes where !write.quantity.isWhole {
            unsent[write.id] = .rejected(
                code: "stockbridge_fractional_quantity",
                message: "Shopify keeps whole units only; \(write.quantity) was not sent")
        }
        var rows = writes.filter { unsent[$0.id] == nil }
        if !changesFrom, rows.contains(where: { $0.expected != nil }) {
            for row in rows where row.expected == nil { unsent[row.id] = .notWritten }
            rows.removeAll { $0.expected == nil }
        }
        self.rows = rows
        self.unsent = unsent
    }

    // MARK: - Sending

    var document: ShopifyDocument {
        ShopifyDocument(
            name: "set quantities",
            text: """
                mutation SetQuantities($in: InventorySetQuantitiesInput!\(changesFrom ? ", $k: String!" : "")) {
                  inventorySetQuantities(input: $in)\(changesFrom ? " @idempotent(key: $k)" : "") {
                    inventoryAdjustmentGroup { changes { name quantityAfterChange item { id } } }
                    userErrors { code field message }
                  }
                }
                """, cost: 10, isMutation: true)
    }

    var variables: [String: JSONTree] {
        var input: [String: JSONTree] = [
            "name": .string("available"), "reason": .string("correction"), "quantities": .array(rows.map(row)),
        ]
        if !changesFrom { input["ignoreCompareQuantity"] = .boolean(rows.allSatisfy { $0.expected == nil }) }
        guard changesFrom else { return ["in": .object(input)] }
        return ["in": .object(input), "k": .string(Self.key(rows, salt: location))]
    }

    private func row(_ write: StockWrite) -> JSONTree {
        var row: [String: JSONTree] = [
            "inventoryItemId": .string(ShopifyID.inventoryItem(write.id) ?? ""), "locationId": .string(location),
            "quantity": .number(String(write.quantity.flooredUnits)),
        ]
        let expected = write.expected.map { JSONTree.number(String($0.flooredUnits)) }
        if changesFrom {
            // Null has to be said: leaving it out is an error.
            row["changeFromQuantity"] = expected ?? .null
        } else if let expected {
            row["compareQuantity"] = expected
        }
        return .object(row)
    }

    /// The same for the same attempts at the same content, whatever process makes them; a new one each time where an
    /// attempt has no name.
    static func key(_ rows: [StockWrite], salt: String) -> String {
        guard rows.allSatisfy({ $0.attempt != nil }) else { return UUID().uuidString.lowercased() }
        let text = rows.map { row in
            [row.id.rawValue, "\(row.quantity)", row.expected?.description ?? "any", row.attempt ?? ""]
                .map { "\($0.utf8.count):\($0)" }.joined()
        }
        var bytes = Array(SHA256.hash(data: Array((salt + text.joined(separator: "\n")).utf8)).prefix(16))
        // In the form of a UUID made from a hash (RFC 9562, version 8).
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        let parts = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }
        return parts.joined(separator: "-")
    }

    // MARK: - Answers

    /// What the answer means for each row that was sent.
    ///
    /// - Parameters:
    ///   - errors: `userErrors`; any of them means that nothing was written.
    ///   - payload: of the mutation.
    ///   - cleaned: takes credentials out of the shop's words and cuts them.
    func read(
        _ errors: [JSONFacts], _ payload: JSONFacts, _ cleaned: (String, Int) -> String
    ) throws(Refusal) -> [ListingID: StockWriteResult] {
        guard !errors.isEmpty else { return afterSuccess(payload) }
        var results = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, StockWriteResult.notWritten) })
        for error in errors {
            let code = error["code"].textIfAny ?? "unknown"
            if code == Self.running { return results.mapValues { _ in .unanswered } }
            if code == Self.failedBefore { return results }
            let fields = (try? error["field"].list())?.compactMap(\.textIfAny) ?? []
            guard let index = fields.lazy.compactMap({ Int($0) }).first, rows.indices.contains(index) else {
                // Without a number it may be any of those that were compared.
                guard Self.stale.contains(code) else { throw Refusal(code: code, message: error["message"].words) }
                for row in rows where row.expected != nil { results[row.id] = .mismatch(observed: nil) }
                continue
            }
            results[rows[index].id] =
                Self.stale.contains(code)
                ? .mismatch(observed: nil)
                : .rejected(code: cleaned(code, 100), message: cleaned(error["message"].words, 300))
        }
        return results
    }

    /// Rows that change nothing are not among the changes. One that had to change something and is not there is
    /// unanswered.
    private func afterSuccess(_ payload: JSONFacts) -> [ListingID: StockWriteResult] {
        let changes = (try? payload["inventoryAdjustmentGroup"]["changes"].list()) ?? []
        var after: [String: Quantity?] = [:]
        for change in changes where change["name"].textIfAny == "available" {
            guard let item = change["item"]["id"].textIfAny else { continue }
            after[item] = change["quantityAfterChange"].textIfAny.flatMap { Quantity($0) }
        }
        var results: [ListingID: StockWriteResult] = [:]
        for row in rows {
            switch after[ShopifyID.inventoryItem(row.id) ?? ""] {
            case .some(let answered?) where answered != row.quantity: results[row.id] = .altered(answered: answered)
            case .some: results[row.id] = .confirmed(row.quantity)
            case nil:
                let hadToChange = row.expected.map { $0 != row.quantity } ?? false
                results[row.id] = hadToChange ? .unanswered : .confirmed(row.quantity)
            }
        }
        return results
    }
}
