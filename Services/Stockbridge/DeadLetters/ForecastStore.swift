import Contracts
import DeadLetters
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// What a replay of a whole filter would do now.
struct ForecastSummary: Sendable, Encodable {
    struct Entry: Sendable, Encodable {
        var letter: Int64
        var kind: ReplayForecast.Kind
        var why: String
    }

    var letters = 0
    var replay = 0
    var superseded = 0
    var alreadyProcessed = 0
    var schemaInvalid = 0
    var undeliverable = 0
    /// The first letters, in the order in which they would be sent.
    var first: [Entry] = []

    func count(_ kind: ReplayForecast.Kind) -> Int {
        switch kind {
        case .replay: replay
        case .superseded: superseded
        case .alreadyProcessed: alreadyProcessed
        case .schemaInvalid: schemaInvalid
        case .undeliverable: undeliverable
        }
    }

    mutating func add(_ id: Int64, _ forecast: ReplayForecast, limit: Int) {
        letters += 1
        switch forecast.kind {
        case .replay: replay += 1
        case .superseded: superseded += 1
        case .alreadyProcessed: alreadyProcessed += 1
        case .schemaInvalid: schemaInvalid += 1
        case .undeliverable: undeliverable += 1
        }
        if first.count < limit { first.append(Entry(letter: id, kind: forecast.kind, why: forecast.why)) }
    }
}

/// Reads what a forecast needs, a page of letters at a time: its memory does not grow with their number.
struct ForecastStore: Sendable {
    /// So many letters at a time.
    static let pageSize = 500
    /// Larger bodies are read one by one.
    static let inlineBytes = 65_536

    let database: OperatorDatabase
    /// The queues of each service by the configuration.
    let queues: [String: Set<String>]

    static func queues(of configuration: StockbridgeConfiguration) -> [String: Set<String>] {
        Dictionary(
            uniqueKeysWithValues: ServiceCatalogue.services(for: configuration).map {
                ($0.name.rawValue, Set($0.queues.map(\.name)))
            })
    }

    /// One letter, whatever its state.
    func forecast(_ id: Int64) async throws -> ReplayForecast? {
        var filter = LetterFilter(state: nil)
        filter.ids = [id]
        return try await page(filter, after: 0).first?.forecast
    }

    /// - Parameters:
    ///   - limit: So many letters are named; all are counted.
    ///   - progress: Called after each page with the letters looked at.
    func summary(
        _ filter: LetterFilter, limit: Int, progress: (Int) -> Void = { _ in }
    ) async throws -> ForecastSummary {
        var summary = ForecastSummary()
        var last: Int64 = 0
        while true {
            let page = try await page(filter, after: last)
            for entry in page { summary.add(entry.id, entry.forecast, limit: limit) }
            progress(summary.letters)
            guard page.count == Self.pageSize, let end = page.last else { return summary }
            last = end.id
        }
    }

    private struct Letter: Sendable {
        var id: Int64
        var service: ServiceName?
        var messageID: UUID?
        var facts: ReplayForecast.Facts
    }

    private func page(
        _ filter: LetterFilter, after last: Int64
    ) async throws -> [(id: Int64, forecast: ReplayForecast)] {
        let (condition, parameters) = filter.condition(from: 2)
        let queues = queues
        return try await database.pool.transaction { transaction in
            let rows = try transaction.query(
                """
                SELECT l.id, l.service, l.queue, l.identity, l.data_schema,
                    CASE WHEN octet_length(coalesce(l.edited_body, l.body)) <= \(Self.inlineBytes)
                         THEN coalesce(l.edited_body, l.body) END AS content
                FROM dead_letters.letters l WHERE l.id > $1 AND \(condition)
                ORDER BY l.id LIMIT \(Self.pageSize)
                """, [.integer(last)] + parameters)
            var letters = try rows.map { try Self.letter($0, queues, transaction) }
            try Self.addInbox(&letters, transaction)
            try Self.addShelves(&letters, transaction)
            try Self.addOrders(&letters, transaction)
            try Self.addStock(&letters, transaction)
            return letters.map { ($0.id, ReplayForecast.of($0.facts)) }
        }
    }

    private static func letter(
        _ row: Row, _ queues: [String: Set<String>], _ transaction: Transaction
    ) throws -> Letter {
        let id = try row.decode(at: 0, as: Int64.self)
        let (service, queue) = (try row.decode(at: 1, as: String.self), try row.decode(at: 2, as: String.self))
        let messageID = UUID(uuidString: try row.decode(at: 3, as: String.self))
        let body = try row.decode(at: 5, as: [UInt8]?.self) ?? largeBody(id, transaction)
        return Letter(
            id: id, service: ServiceName(rawValue: service), messageID: messageID,
            facts: ReplayForecast.Facts(
                queue: queue, queueExists: queues[service]?.contains(queue) ?? false, hasID: messageID != nil,
                wish: ReplayForecast.Wish.read(dataSchema: try row.decode(at: 4), body: body), isDone: false))
    }

    private static func largeBody(_ id: Int64, _ transaction: Transaction) throws -> [UInt8] {
        try transaction.query(
            "SELECT coalesce(edited_body, body) FROM dead_letters.letters WHERE id = $1", [.integer(id)]
        ).first?.decode(at: 0) ?? []
    }

    // MARK: What the services know

    private static func addInbox(_ letters: inout [Letter], _ transaction: Transaction) throws {
        for service in ServiceName.allCases {
            let ours = letters.indices.filter { letters[$0].service == service && letters[$0].messageID != nil }
            guard !ours.isEmpty else { continue }
            let rows = try transaction.query(
                """
                SELECT n.place FROM unnest($1::bigint[], $2::text[], $3::uuid[]) AS n (place, consumer, id)
                JOIN \(service.schema).inbox i ON i.consumer = n.consumer AND i.message_id = n.id AND i.done
                """,
                [
                    .intArray(ours), .textArray(ours.map { letters[$0].facts.queue }),
                    .uuidArray(ours.compactMap { letters[$0].messageID }),
                ])
            for row in rows { letters[try row.decode(at: 0)].facts.isDone = true }
        }
    }

    private static func addShelves(_ letters: inout [Letter], _ transaction: Transaction) throws {
        var wanted: Set<[String]> = []
        for letter in letters {
            guard case .success(.push(let shop, let shelves)) = letter.facts.wish else { continue }
            for shelf in shelves.keys { wanted.insert([shop, shelf]) }
        }
        guard !wanted.isEmpty else { return }
        let keys = Array(wanted)
        let rows = try transaction.query(
            """
            SELECT s.shop, s.shelf, s.confirmed_version
            FROM unnest($1::text[], $2::text[]) AS n (shop, shelf)
            JOIN publishing.shelves s ON s.shop = n.shop AND s.shelf = n.shelf
            """, [.textArray(keys.map { $0[0] }), .textArray(keys.map { $0[1] })])
        var confirmed: [String: [String: Int64]] = [:]
        for row in rows {
            confirmed[try row.decode(at: 0, as: String.self), default: [:]][try row.decode(at: 1)] =
                try row.decode(at: 2, as: Int64.self)
        }
        for index in letters.indices {
            guard case .success(.push(let shop, let shelves)) = letters[index].facts.wish else { continue }
            let known = confirmed[shop] ?? [:]
            letters[index].facts.known = .shelves(known.filter { shelves[$0.key] != nil })
        }
    }

    /// Each service that keeps orders has its own idea of how far it knows them.
    private static func addOrders(_ letters: inout [Letter], _ transaction: Transaction) throws {
        for service in [ServiceName.stockPublisher, .erpBridge, .reconciler] {
            var asked: [(place: Int, order: OrderReference)] = []
            for index in letters.indices where letters[index].service == service {
                if case .success(.order(let order, _)) = letters[index].facts.wish { asked.append((index, order)) }
            }
            guard !asked.isEmpty else { continue }
            let rows = try transaction.query(
                """
                SELECT n.place, o.revision, o.state_version
                FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n (place, shop, external_id)
                JOIN \(service.schema).orders o ON o.shop = n.shop AND o.external_id = n.external_id
                """,
                [
                    .intArray(asked.map(\.place)), .textArray(asked.map(\.order.shop.rawValue)),
                    .textArray(asked.map(\.order.externalID)),
                ])
            for row in rows {
                letters[try row.decode(at: 0)].facts.known = .order(
                    OrderVersion(revision: try row.decode(at: 1), stateVersion: try row.decode(at: 2)))
            }
        }
    }

    private static func addStock(_ letters: inout [Letter], _ transaction: Transaction) throws {
        for index in letters.indices where letters[index].service == .stockPublisher {
            switch letters[index].facts.wish {
            case .success(.stockHeader(let source, _)):
                let rows = try transaction.query(
                    "SELECT sequence FROM publishing.sources WHERE source = $1", [.text(source)])
                if let row = rows.first { letters[index].facts.known = .source(try row.decode(at: 0)) }
            case .success(.stockChunk(let source, let sequence, let codes)):
                letters[index].facts.known = .openCodes(try openCodes(source, sequence, codes, transaction))
            default: break
            }
        }
    }

    /// A newer snapshot may only say what differs from the one before it, so an older chunk is pointless only if each
    /// of its codes has been stated since.
    private static func openCodes(
        _ source: String, _ sequence: Int64, _ codes: [String], _ transaction: Transaction
    ) throws -> Int {
        let rows = try transaction.query(
            """
            SELECT count(*) FROM unnest($3::text[]) AS n (sku)
            WHERE NOT EXISTS (
                SELECT 1 FROM publishing.stock s
                WHERE s.source = $1 AND s.sku = n.sku AND (s.sequence >= $2::bigint OR s.missing_at >= $2::bigint))
            """, [.text(source), .integer(sequence), .textArray(codes)])
        return try rows.first?.decode(at: 0) ?? codes.count
    }
}
