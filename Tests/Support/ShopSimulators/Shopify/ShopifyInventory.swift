import Foundation

/// A checked `inventorySetQuantities`.
private struct SetQuantities {
    struct Row {
        let item: String?
        let location: String?
        let quantity: Int
        /// What a row says about the quantity that it replaces: its key, and nil for an explicit null.
        let expectation: (key: String, quantity: Int?)?
    }

    let name: String
    let reason: String
    let document: String?
    let ignoresComparison: Bool
    let rows: [Row]

    init(_ input: JSONValue) {
        name = input["name"]?.string ?? ""
        reason = input["reason"]?.string ?? ""
        document = input["referenceDocumentUri"]?.string
        ignoresComparison = input["ignoreCompareQuantity"] == .boolean(true)
        rows = (input["quantities"]?.elements ?? []).map { row in
            let key = ["changeFromQuantity", "compareQuantity"].first { row[$0] != nil }
            return Row(
                item: row["inventoryItemId"]?.string, location: row["locationId"]?.string,
                quantity: row["quantity"]?.integer ?? 0,
                expectation: key.map { ($0, row[$0]?.integer) })
        }
    }
}

extension SimulatedShop.State {
    private static let reasons: Set<String> = [
        "correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created", "movement_received",
        "movement_updated", "other", "promotion", "quality_control", "received", "reservation_created",
        "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage",
    ]

    /// `inventorySetQuantities`: all rows or none.
    mutating func setQuantities(
        _ field: BoundField, _ version: String, fault: Fault?, by author: Author
    ) throws(GraphQLProblem) -> StockOutcome {
        let input = field.arguments["input"] ?? .null
        let rows = input["quantities"]?.elements ?? []
        try ShopifyView.checkSize(rows.count)
        if version >= "2026-04", rows.contains(where: { $0["changeFromQuantity"] == nil }) {
            throw GraphQLProblem(
                message: "InventoryQuantityInput must include the following argument: changeFromQuantity.",
                code: "INVALID_FIELD_ARGUMENTS")
        }
        return try once(field, version, by: author) { (state) in
            state.setOnce(SetQuantities(input), fault: fault, by: author)
        }
    }

    /// Does what an idempotency key was not used for before; otherwise says what came of it then.
    mutating func once(
        _ field: BoundField, _ version: String, by author: Author,
        _ change: (inout SimulatedShop.State) -> StockOutcome
    ) throws(GraphQLProblem) -> StockOutcome {
        guard let key = field.directives["idempotent"]?["key"]?.string else {
            if version < "2026-04" { return change(&self) }
            throw GraphQLProblem(
                message: "The @idempotent directive is required for this mutation but was not provided.",
                code: "BAD_REQUEST")
        }
        func refusal(_ code: String, _ message: String) -> StockOutcome {
            StockOutcome(errors: [ShopifyUserError(code: code, field: nil, message: message)])
        }
        let parameters = field.field.name + JSONValue.object(field.arguments).text
        if let first = shopify.running[key], first != author.request {
            return refusal(
                "IDEMPOTENCY_CONCURRENT_REQUEST", "This request is currently in progress, please try again.")
        }
        if let attempt = shopify.attempts[key], author.time.timeIntervalSince(attempt.at) < ShopifyState.keySeconds {
            if attempt.parameters != parameters {
                return refusal(
                    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
                    "The same idempotency key cannot be used with different operation parameters.")
            }
            if !attempt.outcome.errors.isEmpty && version >= "2026-10" {
                return refusal(
                    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
                    "A previous request with this idempotency key failed. Retry with a new idempotency key.")
            }
            statistics.replayedWrites += 1
            return attempt.outcome
        }
        let outcome = change(&self)
        shopify.attempts[key] = .init(parameters: parameters, outcome: outcome, at: author.time)
        if shopify.attempts.count > 100_000 {
            shopify.attempts = shopify.attempts.filter {
                author.time.timeIntervalSince($0.value.at) < ShopifyState.keySeconds
            }
        }
        return outcome
    }

    private mutating func setOnce(_ request: SetQuantities, fault: Fault?, by author: Author) -> StockOutcome {
        if shopify.committed.revision != orders.revision {
            shopify.committed = (orders.revision, ShopifyView.committed(orders))
        }
        var errors = Self.headErrors(request)
        var places: [ShopifyState.Place] = []
        var seen: Set<ShopifyState.Place> = []
        for (index, row) in request.rows.enumerated() {
            let (place, error) = check(row, index, request, &seen)
            if let error { errors.append(error) }
            if let place { places.append(place) }
        }
        if let fault, fault.kind == .partialBatch {
            for (index, place) in places.enumerated()
            where fault.items?.contains(place.itemID) ?? (index % 2 == 1) {
                errors.append(
                    Self.error(
                        fault.code ?? "INVALID_INVENTORY_ITEM", index, "inventoryItemId",
                        "Refused by a fault of the simulator."))
            }
        }
        guard errors.isEmpty else { return StockOutcome(errors: errors) }
        return apply(request, places, fault: fault, by: author)
    }

    private static func error(_ code: String, _ index: Int, _ name: String, _ message: String) -> ShopifyUserError {
        ShopifyUserError(code: code, field: ["input", "quantities", "\(index)", name], message: message)
    }

    private static func headErrors(_ request: SetQuantities) -> [ShopifyUserError] {
        var errors: [ShopifyUserError] = []
        func add(_ code: String, _ name: String, _ message: String) {
            errors.append(ShopifyUserError(code: code, field: ["input", name], message: message))
        }
        if !["available", "on_hand"].contains(request.name) {
            add("INVALID_NAME", "name", "The quantity name must be either 'available' or 'on_hand'.")
        }
        if !reasons.contains(request.reason) { add("INVALID_REASON", "reason", "The specified reason is invalid.") }
        if let document = request.document, document.wholeMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:\/\/\S+/) == nil {
            add(
                "INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri", "The specified reference document is invalid.")
        }
        return errors
    }

    /// The place of a row, if there is one, and what is wrong with the row.
    private func check(
        _ row: SetQuantities.Row, _ index: Int, _ request: SetQuantities, _ seen: inout Set<ShopifyState.Place>
    ) -> (ShopifyState.Place?, ShopifyUserError?) {
        let settings = configuration.shopify
        guard let item = inventoryItem(row.item) else {
            return (
                nil,
                Self.error(
                    "INVALID_INVENTORY_ITEM", index, "inventoryItemId",
                    "The specified inventory item could not be found.")
            )
        }
        guard let location = shopifyLocation(row.location) else {
            return (
                nil,
                Self.error("INVALID_LOCATION", index, "locationId", "The specified location could not be found.")
            )
        }
        let place = ShopifyState.Place(itemID: item.id, locationID: location)
        guard seen.insert(place).inserted else {
            return (
                place,
                Self.error(
                    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", index, "inventoryItemId",
                    "The combination of inventoryItemId and locationId must be unique.")
            )
        }
        guard let available = shopify.available(item, at: location, settings) else {
            return (
                place,
                Self.error(
                    "ITEM_NOT_STOCKED_AT_LOCATION", index, "inventoryItemId",
                    "The specified inventory item is not stocked at the location.")
            )
        }
        let current = available + (request.name == "on_hand" ? shopifyCommitted(place) : 0)
        return (place, quantityError(row, index, request, current: current))
    }

    private func quantityError(
        _ row: SetQuantities.Row, _ index: Int, _ request: SetQuantities, current: Int
    ) -> ShopifyUserError? {
        if row.quantity < 0 {
            return Self.error("INVALID_QUANTITY_NEGATIVE", index, "quantity", "The quantity can't be negative.")
        }
        if row.quantity > 1_000_000_000 {
            return Self.error(
                "INVALID_QUANTITY_TOO_HIGH", index, "quantity",
                "The total quantity can't be higher than 1,000,000,000.")
        }
        if request.ignoresComparison { return nil }
        switch row.expectation {
        case nil, ("compareQuantity", nil)?:
            return Self.error(
                "COMPARE_QUANTITY_REQUIRED", index, "compareQuantity",
                "The compareQuantity argument must be given to each quantity or ignored using ignoreCompareQuantity.")
        case ("changeFromQuantity", let expected?)? where expected != current:
            return Self.error(
                "CHANGE_FROM_QUANTITY_STALE", index, "changeFromQuantity",
                "The changeFromQuantity argument no longer matches the persisted quantity.")
        case ("compareQuantity", let expected?)? where expected != current:
            return Self.error(
                "COMPARE_QUANTITY_STALE", index, "compareQuantity",
                "The compareQuantity argument no longer matches the persisted quantity.")
        default: return nil
        }
    }

    /// Rows that change nothing are not among the changes of the answer.
    private mutating func apply(
        _ request: SetQuantities, _ places: [ShopifyState.Place], fault: Fault?, by author: Author
    ) -> StockOutcome {
        var outcome = StockOutcome()
        (outcome.at, outcome.reason, outcome.document) = (author.time, request.reason, request.document)
        let alteration = fault?.kind == .alteredQuantity ? -1 : 0
        for (index, (row, place)) in zip(request.rows, places).enumerated() {
            guard let item = items.variant(place.itemID) else { continue }
            let before = shopify.available(item, at: place.locationID, configuration.shopify) ?? 0
            let committed = shopifyCommitted(place)
            let after = row.quantity + alteration - (request.name == "on_hand" ? committed : 0)
            setShopifyStock(item, at: place.locationID, to: after, by: author)
            let isSilent =
                fault?.kind == .silentItems
                && (fault?.items?.contains(place.itemID) ?? (index == places.count - 1))
            if after == before || isSilent { continue }
            for (name, units) in [("available", after), ("on_hand", after + committed)] {
                outcome.changes.append(.init(name: name, delta: after - before, after: units, place: place))
            }
        }
        if !outcome.changes.isEmpty {
            shopify.lastGroup += 1
            outcome.group = shopify.lastGroup
        }
        return outcome
    }

    // MARK: - Stock

    mutating func setShopifyStock(_ item: ShopItem, at locationID: Int, to quantity: Int, by author: Author) {
        let isFirst = locationID == configuration.shopify.locations.first?.id
        if isFirst && item.managesStock {
            items.setStock(item.id, manages: nil, quantity: quantity, by: author)
        } else {
            shopify.stock[.init(itemID: item.id, locationID: locationID)] = quantity
        }
    }

    func inventoryItem(_ id: String?) -> ShopItem? {
        ShopifyID.number(id.map { .string($0) }, "InventoryItem").flatMap {
            items.variant($0 - ShopifySettings.inventoryItemOffset)
        }
    }

    func shopifyLocation(_ id: String?) -> Int? {
        ShopifyID.number(id.map { .string($0) }, "Location").flatMap { number in
            configuration.shopify.locations.first { $0.id == number }?.id
        }
    }

    /// After the units have been counted.
    private func shopifyCommitted(_ place: ShopifyState.Place) -> Int {
        guard place.locationID == configuration.shopify.locations.first?.id else { return 0 }
        return shopify.committed.units[place.itemID] ?? 0
    }

    /// `inventoryActivate`: stocks a variant at a location.
    mutating func activate(
        _ field: BoundField, _ version: String, by author: Author
    ) throws(GraphQLProblem) -> StockOutcome {
        try once(field, version, by: author) { (state) in
            func refusal(_ name: String, _ message: String) -> StockOutcome {
                StockOutcome(errors: [ShopifyUserError(field: [name], message: message)])
            }
            guard let item = state.inventoryItem(field.arguments["inventoryItemId"]?.string) else {
                return refusal("inventoryItemId", "The product couldn't be stocked because it wasn't found.")
            }
            guard let location = state.shopifyLocation(field.arguments["locationId"]?.string) else {
                return refusal("locationId", "The product couldn't be stocked because the location wasn't found.")
            }
            let asked = field.arguments["available"]?.integer
            if state.shopify.available(item, at: location, state.configuration.shopify) != nil {
                return asked == nil
                    ? StockOutcome()
                    : refusal(
                        "available",
                        "Not allowed to set available quantity when the item is already active at the location.")
            }
            state.shopify.notStocked.remove(item.id)
            state.setShopifyStock(item, at: location, to: asked ?? 0, by: author)
            return StockOutcome()
        }
    }
}
