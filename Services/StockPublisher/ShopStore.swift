import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// The shops as this service knows them.
enum ShopStore {
    /// Shops that may be written to: not in shadow.
    static func writableShops(in transaction: Transaction) throws -> Set<ShopName> {
        let rows = try transaction.query("SELECT shop FROM shops WHERE NOT shadow", [])
        return Set(try rows.map { ShopName(rawValue: try $0.decode(at: 0)) })
    }

    /// Makes a row for every shop of the configuration; a new shop is in shadow.
    static func ensureExist(_ shops: [ShopName], in transaction: Transaction) throws {
        try transaction.execute(
            "INSERT INTO shops (shop) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING",
            [.textArray(shops.map(\.rawValue).sorted())])
    }

    /// The next number of a shop's mapping; the row stays locked, so that numbers commit in their order.
    static func nextMappingSequence(of shop: ShopName, in transaction: Transaction) throws -> Int64 {
        let rows = try transaction.query(
            "UPDATE shops SET mapping_sequence = mapping_sequence + 1 WHERE shop = $1 RETURNING mapping_sequence",
            [.text(shop.rawValue)])
        return try rows.first?.decode(at: 0) ?? 0
    }
}

/// How far the shops' orders are known.
enum FeedStore {
    /// What is known of one shop's feed.
    struct Feed: Sendable {
        var completeUpTo: Date
        var isStale: Bool
    }

    /// The feeds of the shops whose orders are collected; the others have none.
    static func feeds(in transaction: Transaction) throws -> [ShopName: Feed] {
        var result: [ShopName: Feed] = [:]
        for row in try transaction.query("SELECT shop, complete_up_to, is_stale FROM feeds", []) {
            result[ShopName(rawValue: try row.decode(at: 0))] = Feed(
                completeUpTo: try row.decode(at: 1), isStale: try row.decode(at: 2))
        }
        return result
    }

    /// Takes in how far a feed is; it never goes back. Locks the row.
    ///
    /// - Returns: Whether it was stale before.
    static func advance(_ shop: ShopName, to moment: Date, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            "INSERT INTO feeds (shop, complete_up_to) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.text(shop.rawValue), .timestamp(moment)])
        let before = try transaction.query(
            "SELECT is_stale FROM feeds WHERE shop = $1 FOR UPDATE", [.text(shop.rawValue)])
        try transaction.execute(
            """
            UPDATE feeds SET complete_up_to = greatest(complete_up_to, $2::timestamptz),
                is_stale = is_stale AND complete_up_to >= $2::timestamptz
            WHERE shop = $1
            """, [.text(shop.rawValue), .timestamp(moment)])
        return try before.first?.decode(at: 0) ?? false
    }

    /// Notes which feeds have been behind for so long that they count as stale; returns those that do so newly.
    static func markStale(_ shop: ShopName, behind moment: Date, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            "UPDATE feeds SET is_stale = true WHERE shop = $1 AND NOT is_stale AND complete_up_to <= $2",
            [.text(shop.rawValue), .timestamp(moment)]) == 1
    }

    /// Asks order-collector for a pass over a shop's orders now, unless it was asked a moment ago.
    static func askForOrders(of shop: ShopName, in work: UnitOfWork) throws {
        let asked = try work.transaction.execute(
            """
            UPDATE feeds SET asked_at = $2::timestamptz
            WHERE shop = $1 AND (asked_at IS NULL OR asked_at < $2::timestamptz - interval '1 second')
            """, [.text(shop.rawValue), .timestamp(work.startedAt)])
        guard asked == 1 else { return }
        work.send(
            try OutboxMessage.command(
                .collect, arguments: ["shop": .string(shop.rawValue)], to: .orderCollector, from: .stockPublisher,
                requestedBy: "stock-publisher", at: work.startedAt))
    }
}
