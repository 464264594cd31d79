import Foundation

/// `/__simulator/`: what a test or an operator asks of the simulator itself; no part of any platform.
struct ControlRoutes {
    let shop: SimulatedShop

    static let prefix = "/__simulator"

    func answer(_ call: Call) -> Answer {
        if let refusal = refuse(call) { return refusal }
        let segments = Array(call.segments.dropFirst())
        do {
            switch (call.method, segments.first, segments.count) {
            case ("GET", nil, _): return about()
            case ("GET", "stock", 1): return stock(call)
            case ("POST", "stock", 1): return try setStock(call)
            case ("POST", "sales", 1): return try sell(call)
            case ("GET", "journal", 1): return try journal(call)
            case ("DELETE", "journal", 1): return done(shop.with { $0.items.resetJournal() })
            case ("GET", "statistics", 1): return try json(shop.with { $0.report })
            case ("DELETE", "statistics", 1): return done(shop.with { $0.resetStatistics() })
            case ("GET", "faults", 1): return try json(shop.with { $0.faults.pending })
            case ("POST", "faults", 1): return try addFaults(call)
            case ("DELETE", "faults", 1): return done(shop.with { $0.faults.removeAll() })
            case ("GET", "catalogue", 1): return try catalogue()
            case ("POST", "products", 1): return try addProduct(call)
            case ("DELETE", "products", 2): return removeProduct(segments[1])
            case ("POST", "products", 3) where segments[2] == "status": return try setStatus(segments[1], call)
            case ("PUT", "settings", 1): return try changeSettings(call)
            default:
                if let answer = try answerOrders(call, segments) { return answer }
                return .refusal(404, "simulator_no_route", "The simulator knows no \(call.method) \(call.path).")
            }
        } catch let problem as SimulatorProblem {
            return .refusal(problem.status, problem.code, problem.description)
        } catch let error as DecodingError {
            return .refusal(400, "simulator_bad_request", "The body is not what this address takes: \(error)")
        } catch {
            return .refusal(400, "simulator_bad_request", "\(error)")
        }
    }

    private func refuse(_ call: Call) -> Answer? {
        if let token = shop.configuration.adminToken {
            return call.header("x-simulator-token") == token
                ? nil : .refusal(401, "simulator_token", "X-Simulator-Token is missing or wrong.")
        }
        return call.isLoopback
            ? nil : .refusal(403, "simulator_loopback", "Without a token only loopback addresses may do this.")
    }

    func done(_: Void) -> Answer { Answer("{\"ok\":true}") }

    func json(_ value: some Encodable) throws -> Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Answer(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    func body<Value: Decodable>(_ call: Call, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(call.body))
    }

    private func about() -> Answer {
        var writer = JSONObjectWriter()
        writer.add("name", shop.configuration.name)
        writer.add("platform", shop.configuration.platform.rawValue)
        writer.add("orders", shop.with { $0.orders.count })
        writer.add("clock", shop.with { ShopItems.time($0.clock.now()) } + "Z")
        writer.add("items", shop.with { $0.items.all.count })
        return Answer(writer.finish())
    }

    // MARK: - Stock

    private func stock(_ call: Call) -> Answer {
        let wanted = call.list("id").map(Set.init)
        let lines = shop.with { state in
            state.items.all.values
                .filter { wanted?.contains($0.key) ?? true }
                .sorted { $0.id < $1.id }
                .map { item in
                    var writer = JSONObjectWriter()
                    writer.add("id", item.key)
                    writer.add("sku", state.items.shownSKU(of: item))
                    writer.add("type", item.type)
                    writer.add("managed", item.managesStock)
                    writer.add("stock", item.stock)
                    return writer.finish()
                }
        }
        return Answer("[" + lines.joined(separator: ",\n") + "]\n")
    }

    private struct StockChange: Decodable {
        let id: String?
        let sku: String?
        let quantity: Int
        let oversell: Bool?
    }

    private func setStock(_ call: Call) throws -> Answer {
        let change: StockChange = try body(call)
        let found = shop.with { state -> Bool in
            guard let item = state.items.find(key: change.id, sku: change.sku) else { return false }
            let author = Author(client: call.client, source: .site)
            state.items.setStock(item.id, manages: true, quantity: change.quantity, by: author)
            return true
        }
        return found ? done(()) : .refusal(404, "simulator_no_item", "There is no such item.")
    }

    private func sell(_ call: Call) throws -> Answer {
        let sale: StockChange = try body(call)
        return shop.with { state in
            guard let item = state.items.find(key: sale.id, sku: sale.sku) else {
                return .refusal(404, "simulator_no_item", "There is no such item.")
            }
            let author = Author(client: call.client, source: .sale)
            let left = state.items.sell(
                item, quantity: sale.quantity, oversell: sale.oversell ?? false, by: author)
            guard let left else { return .refusal(409, "simulator_not_enough", "The shop does not have that many.") }
            return Answer("{\"id\":\"\(item.key)\",\"stock\":\(left == .max ? "null" : String(left))}")
        }
    }

    // MARK: - What happened

    private func journal(_ call: Call) throws -> Answer {
        let after = call.parameter("after").flatMap { Int($0) } ?? 0
        let limit = call.parameter("limit").flatMap { Int($0) } ?? Int.max
        let id = call.parameter("id")
        let sku = call.parameter("sku")
        let entries = shop.with { state in
            Array(
                state.items.journal.entries.lazy
                    .filter { $0.sequence > after }
                    .filter { (id == nil || $0.id == id) && (sku == nil || $0.sku == sku) }
                    .prefix(max(0, limit)))
        }
        return try json(entries)
    }

    private func addFaults(_ call: Call) throws -> Answer {
        let faults = try (try? body(call, as: [Fault].self)) ?? [body(call, as: Fault.self)]
        let now = SimulatedShop.steadySeconds()
        return done(shop.with { state in for fault in faults { state.faults.add(fault, at: now) } })
    }

    // MARK: - Catalogue and settings

    private func catalogue() throws -> Answer {
        var answer = Answer(try CatalogueFile.text(shop.with { $0.items.catalogue() }))
        answer.contentType = "application/x-ndjson"
        return answer
    }

    private func addProduct(_ call: Call) throws -> Answer {
        let product: CatalogueProduct = try body(call)
        try shop.with { try $0.items.add(product, at: Date()) }
        return done(())
    }

    private func removeProduct(_ id: String) -> Answer {
        let removed = Int(id).map { id in shop.with { $0.items.remove(id) } } ?? false
        return removed ? done(()) : .refusal(404, "simulator_no_item", "There is no such product.")
    }

    private struct StatusChange: Decodable { let status: String }

    /// Somebody of the shop hides or shows a product: `draft`, `private`, `publish`.
    private func setStatus(_ id: String, _ call: Call) throws -> Answer {
        let change: StatusChange = try body(call)
        let changed = Int(id).map { id in shop.with { $0.items.setStatus(id, change.status, at: $0.clock.now()) } }
        return changed == true ? done(()) : .refusal(404, "simulator_no_item", "There is no such product.")
    }

    private struct Settings: Decodable {
        let requests_per_second: Double?
        let burst: Int?
        let latency_ms: Int?
        let clock_offset_seconds: Double?
        let clock_skew_seconds: Double?
        let utc_offset_seconds: Int?
        let supports_orderby_modified: Bool?
        let webhook_latency_ms: Int?
    }

    /// 0 requests a second takes the limit away.
    private func changeSettings(_ call: Call) throws -> Answer {
        let settings: Settings = try body(call)
        return done(
            shop.with { state in
                if let rate = settings.requests_per_second { state.bucket = SimulatedShop.bucket(rate, settings.burst) }
                if let latency = settings.latency_ms { state.latencyMilliseconds = latency }
                if let offset = settings.clock_offset_seconds { state.clock.offsetSeconds = offset }
                if let skew = settings.clock_skew_seconds { state.clock.skewSeconds = skew }
                if let offset = settings.utc_offset_seconds { state.clock.utcOffsetSeconds = offset }
                if let supported = settings.supports_orderby_modified { state.supportsOrderByModified = supported }
                if let latency = settings.webhook_latency_ms { state.webhookLatencyMilliseconds = latency }
            })
    }
}
