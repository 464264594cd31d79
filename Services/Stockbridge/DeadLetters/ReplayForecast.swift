import Contracts
import Domain
import Foundation

/// What a replay would do to one letter now. An estimate: the services decide when the message is there.
struct ReplayForecast: Sendable, Encodable, Equatable {
    enum Kind: String, Sendable, Encodable, CaseIterable {
        /// It would be done.
        case replay
        /// Something newer has made it pointless.
        case superseded
        /// Its effect was made before.
        case alreadyProcessed = "already_processed"
        /// It would fail again: it is not what the services read.
        case schemaInvalid = "schema_invalid"
        /// The queue in which it failed is no longer in the configuration.
        case undeliverable

        /// As a person says it.
        var words: String {
            switch self {
            case .replay: "replay"
            case .superseded: "superseded"
            case .alreadyProcessed: "already processed"
            case .schemaInvalid: "schema no longer valid"
            case .undeliverable: "undeliverable"
            }
        }
    }

    var kind: Kind
    /// Why, as a sentence.
    var why: String

    /// What is known about a letter.
    struct Facts: Sendable {
        var queue: String
        /// Whether its service has that queue by the configuration.
        var queueExists: Bool
        /// Whether the message has an id, without which no service takes it.
        var hasID: Bool
        /// What the message wants, or why it cannot be read.
        var wish: Result<Wish, Unreadable>
        /// Whether the inbox of the queue's service says that it was done.
        var isDone: Bool
        /// What the tables of the service know.
        var known = Known.nothing
    }

    /// Why a message cannot be read, as a sentence.
    struct Unreadable: Error, Sendable, Equatable {
        var sentence: String
    }

    /// What a message wants, as far as something newer can make it pointless.
    enum Wish: Sendable, Equatable {
        /// Shelves of a shop at the version at which the push was asked for.
        case push(shop: String, shelves: [String: Int64])
        case order(OrderReference, OrderVersion)
        case stockHeader(source: String, sequence: Int64)
        case stockChunk(source: String, sequence: Int64, codes: [String])
        /// Nothing that could be outrun.
        case other
    }

    /// What the tables of the service know about the wish.
    enum Known: Sendable, Equatable {
        case nothing
        /// The confirmed versions of the shelves that there are.
        case shelves([String: Int64])
        case order(OrderVersion)
        /// The newest sequence of the source.
        case source(Int64)
        /// So many codes of the chunk have no statement as new as this one.
        case openCodes(Int)
    }

    static func of(_ facts: Facts) -> ReplayForecast {
        guard facts.queueExists else {
            return ReplayForecast(kind: .undeliverable, why: "The configuration has no queue \(facts.queue).")
        }
        guard facts.hasID else {
            return ReplayForecast(kind: .schemaInvalid, why: "The message has no id that is a UUID.")
        }
        let wish: Wish
        switch facts.wish {
        case .success(let read): wish = read
        case .failure(let problem): return ReplayForecast(kind: .schemaInvalid, why: problem.sentence)
        }
        if facts.isDone {
            return ReplayForecast(kind: .alreadyProcessed, why: "\(facts.queue) has done this message before.")
        }
        if let why = overtaken(wish, by: facts.known) { return ReplayForecast(kind: .superseded, why: why) }
        return ReplayForecast(kind: .replay, why: "Nothing newer is known; it would be done.")
    }

    /// Why the wish is pointless; nil if it is not.
    private static func overtaken(_ wish: Wish, by known: Known) -> String? {
        switch (wish, known) {
        case (.push(let shop, let shelves), .shelves(let confirmed)):
            let open = shelves.contains { shelf, version in confirmed[shelf].map { $0 < version } ?? false }
            return open
                ? nil : "Shop \(shop) has confirmed this or a newer level of each of the shelves that it still has."
        case (.order(let order, let version), .order(let newest)) where newest >= version:
            return "Order \(order) is known at revision \(newest.revision).\(newest.stateVersion); "
                + "this says \(version.revision).\(version.stateVersion)."
        case (.stockHeader(let source, let sequence), .source(let newest)) where newest > sequence:
            return "Source \(source) is at number \(newest); this is \(sequence)."
        case (.stockChunk(let source, let sequence, _), .openCodes(0)):
            return "Source \(source) has stated each of its codes at number \(sequence) or later."
        default: return nil
        }
    }
}

extension ReplayForecast.Wish {
    /// What a readable payload wants.
    init(_ payload: any EventPayload) {
        switch payload {
        case let work as PushWork:
            self = .push(
                shop: work.shop.rawValue,
                shelves: Dictionary(work.shelves.map { ($0.id.rawValue, $0.version) }) { max($0, $1) })
        case let event as OrderChanged: self = .order(event.order.reference, event.version)
        case let event as StockAggregated:
            let (source, sequence) = (event.snapshot.source.rawValue, event.snapshot.sequence)
            switch event {
            case .header: self = .stockHeader(source: source, sequence: sequence)
            case .chunk(let chunk):
                self = .stockChunk(
                    source: source, sequence: sequence,
                    codes: chunk.skus.map(\.sku.rawValue) + chunk.missing.map(\.rawValue))
            }
        default: self = .other
        }
    }

    /// Reads a body by its schema.
    static func read(dataSchema: String?, body: [UInt8]) -> Result<Self, ReplayForecast.Unreadable> {
        guard let dataSchema else { return .failure(.init(sentence: "The message does not say its schema.")) }
        do throws(PayloadProblem) {
            return .success(Self(try PayloadCatalogue.read(dataSchema: dataSchema, body: body)))
        } catch {
            return .failure(.init(sentence: "\(error)"))
        }
    }
}
