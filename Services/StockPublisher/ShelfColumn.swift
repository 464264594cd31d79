import Contracts
import Domain
import Foundation
import PostgreSQL

/// A column of `shelves` beyond its key: what it is called there, of what type, and which part of a row it holds.
struct ShelfColumn: Sendable {
    let name: String
    let type: String
    /// The value as PostgreSQL reads it inside an array of texts.
    let text: @Sendable (ShelfRow) throws -> String?
    /// Takes the value over from a place of a row that was read; nil for what follows from the other columns.
    let read: (@Sendable (inout ShelfRow, Row, Int) throws -> Void)?

    /// In the order in which they are read. What queries alone look at comes last and is not read.
    static let all = decoded + derived

    static let decoded = [
        ShelfColumn("erp_code", "text", { $0.code?.rawValue }) { row, source, place in
            row.code = try source.decode(at: place, as: String?.self).map(ERPCode.init(rawValue:))
        },
        ShelfColumn("units_per_pack", "int", { number($0.unitsPerPack) }) { $0.unitsPerPack = try $1.decode(at: $2) },
        ShelfColumn("wanted", "int", { number($0.state.wanted) }) { $0.state.wanted = try $1.decode(at: $2) },
        ShelfColumn("version", "bigint", { number($0.state.version) }) { $0.state.version = try $1.decode(at: $2) },
        ShelfColumn("cause", "timestamptz", { time($0.state.cause) }) { $0.state.cause = try $1.decode(at: $2) },
        ShelfColumn("increase_since", "timestamptz", { time($0.state.increaseSince) }) {
            $0.state.increaseSince = try $1.decode(at: $2)
        },
        ShelfColumn("reserved_for", "text[]", { array($0.state.reservedFor) }) { row, source, place in
            let shops = try source.decode(at: place, as: [String].self)
            row.state.reservedFor = shops.map(ShopName.init(rawValue:))
        },
        ShelfColumn("sent_version", "bigint", { number($0.state.sentVersion) }) {
            $0.state.sentVersion = try $1.decode(at: $2)
        },
        ShelfColumn("sent", "int", { number($0.state.sent) }) { $0.state.sent = try $1.decode(at: $2) },
        ShelfColumn("confirmed_version", "bigint", { number($0.state.confirmedVersion) }) {
            $0.state.confirmedVersion = try $1.decode(at: $2)
        },
        ShelfColumn("confirmed_level", "int", { number($0.state.confirmedLevel) }) {
            $0.state.confirmedLevel = try $1.decode(at: $2)
        },
        ShelfColumn("confirmed_at", "timestamptz", { time($0.state.confirmedAt) }) {
            $0.state.confirmedAt = try $1.decode(at: $2)
        },
        ShelfColumn("last_pushed_at", "timestamptz", { time($0.state.lastPushedAt) }) {
            $0.state.lastPushedAt = try $1.decode(at: $2)
        },
        ShelfColumn("expected_at_shop", "int", { number($0.state.expectedAtShop) }) {
            $0.state.expectedAtShop = try $1.decode(at: $2)
        },
        ShelfColumn("known_from", "timestamptz", { time($0.state.knownFrom) }) {
            $0.state.knownFrom = try $1.decode(at: $2)
        },
        ShelfColumn("known_to", "timestamptz", { time($0.state.knownTo) }) { $0.state.knownTo = try $1.decode(at: $2) },
        ShelfColumn("claim_number", "bigint", { number($0.state.claimNumber) }) {
            $0.state.claimNumber = try $1.decode(at: $2)
        },
        ShelfColumn("claim", "json", { try $0.state.claim.map(json) }) { row, source, place in
            row.state.claim = try source.decode(at: place, as: String?.self).map {
                try ContractCoding.decode(PushClaim.self, from: Array($0.utf8))
            }
        },
        ShelfColumn("unknown_until", "timestamptz", { time($0.state.unknownUntil) }) {
            $0.state.unknownUntil = try $1.decode(at: $2)
        },
        ShelfColumn("read_back_required", "boolean", { truth($0.state.readBackRequired) }) {
            $0.state.readBackRequired = try $1.decode(at: $2)
        },
        ShelfColumn("rejected_version", "bigint", { number($0.state.rejectedVersion) }) {
            $0.state.rejectedVersion = try $1.decode(at: $2)
        },
        ShelfColumn("rejection", "text", { $0.state.rejection }) { $0.state.rejection = try $1.decode(at: $2) },
        ShelfColumn("failures", "int", { number($0.state.failures) }) { $0.state.failures = try $1.decode(at: $2) },
        ShelfColumn("failure", "text", { $0.state.failure }) { $0.state.failure = try $1.decode(at: $2) },
        ShelfColumn("mismatches", "int", { number($0.state.mismatches) }) {
            $0.state.mismatches = try $1.decode(at: $2)
        },
        ShelfColumn("held", "text", { $0.state.held }) { $0.state.held = try $1.decode(at: $2) },
        ShelfColumn("deferral", "text", { $0.state.deferral?.rawValue }) { row, source, place in
            row.state.deferral = try source.decode(at: place, as: String?.self).flatMap(Deferral.init(rawValue:))
        },
    ]

    private static let derived: [ShelfColumn] = [
        ShelfColumn("due", "boolean", { truth($0.state.isDue) }),
        ShelfColumn("wake_at", "timestamptz", { time($0.state.wakeAt) }),
    ]

    private init(
        _ name: String, _ type: String, _ text: @escaping @Sendable (ShelfRow) throws -> String?,
        read: (@Sendable (inout ShelfRow, Row, Int) throws -> Void)? = nil
    ) {
        (self.name, self.type, self.text, self.read) = (name, type, text, read)
    }

    // MARK: Values as texts

    private static func number(_ value: (some BinaryInteger)?) -> String? { value.map { "\($0)" } }

    private static func truth(_ value: Bool) -> String { value ? "t" : "f" }

    private static func time(_ date: Date?) -> String? { date.map(TimeText.string) }

    private static func array(_ shops: [ShopName]) -> String {
        "{" + shops.map { "\"\($0.rawValue)\"" }.joined(separator: ",") + "}"
    }

    private static func json(_ claim: PushClaim) throws -> String {
        String(decoding: try ContractCoding.encode(claim), as: UTF8.self)
    }
}
