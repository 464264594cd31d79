import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit

/// Does what time alone brings about: holds and unpaid reserves that end, feeds that go stale, claims and waits that
/// run out, requests that were lost.
struct Sweeper: Sendable {
    static let everySeconds = 2
    /// A wish that nobody carried out for so long is asked for again; the retry tiers are shorter together.
    static let lostAfterSeconds = 900

    let parts: ServiceParts
    let settings: PublisherSettings
    let levels: LevelWriter

    func run() async {
        while !parts.stop.isStopping {
            do {
                try await endHolds()
                try await endReserves()
                try await watchFeeds()
                try await wakeShelves()
            } catch {
                parts.logger.warning("timers not looked at, trying again", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .seconds(Self.everySeconds))
        }
    }

    func endHolds() async throws {
        let levels = self.levels
        try await parts.database.unitOfWork { work in
            let rows = try work.transaction.query(
                """
                UPDATE holds SET ended_at = $1, ended_by = 'time' WHERE id IN (
                    SELECT id FROM holds WHERE ended_at IS NULL AND ends_at <= $1
                    ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)
                RETURNING erp_code
                """, [.timestamp(work.startedAt)])
            let codes = Set(try rows.map { ERPCode(rawValue: try $0.decode(at: 0)) })
            guard !codes.isEmpty else { return }
            let cause = LevelCause(kind: "hold", id: "hold ended", at: work.startedAt)
            try levels.recompute(.codes(codes.sorted()), because: cause, in: work)
        }
    }

    func endReserves() async throws {
        let levels = self.levels
        try await parts.database.unitOfWork { work in
            let codes = try OpenLineStore.endReserves(at: work.startedAt, atMost: 500, in: work.transaction)
            guard !codes.isEmpty else { return }
            let cause = LevelCause(kind: "reserve", id: "unpaid reserve ended", at: work.startedAt)
            try levels.recompute(.codes(codes.sorted()), because: cause, in: work)
        }
    }

    /// Feeds that have been behind for too long, and snapshots that became complete unnoticed.
    func watchFeeds() async throws {
        let (levels, settings) = (levels, settings)
        try await parts.database.unitOfWork { work in
            for shop in settings.shops.values.sorted(by: { $0.name < $1.name }) where shop.collectsOrders {
                let limit = work.startedAt.addingTimeInterval(-shop.push.feedStaleAfterSeconds)
                let isNew = try FeedStore.markStale(shop.name, behind: limit, in: work.transaction)
                guard isNew, shop.staleReserve > .zero else { continue }
                let cause = LevelCause(kind: "feed", id: "\(shop.name) is stale", at: limit)
                try levels.recomputePool(of: shop.name, because: cause, in: work)
            }
            for row in try work.transaction.query("SELECT source FROM sources ORDER BY source", []) {
                try levels.restate(SourceName(rawValue: try row.decode(at: 0)), in: work)
            }
        }
    }

    func wakeShelves() async throws {
        let levels = self.levels
        for shop in settings.shops.keys.sorted() {
            try await parts.database.unitOfWork { work in
                let rows = try work.transaction.query(
                    """
                    SELECT shelf FROM shelves WHERE shop = $1 AND (
                        (wake_at < $2::timestamptz - interval '5 seconds'
                         AND (requested_at IS NULL OR requested_at < $2::timestamptz - interval '30 seconds'))
                        OR ask_at <= $2::timestamptz
                        OR (due AND requested_at < $2::timestamptz - make_interval(secs => $3)))
                    ORDER BY shelf LIMIT 1000
                    """,
                    [.text(shop.rawValue), .timestamp(work.startedAt), .int(Self.lostAfterSeconds)])
                let ids = try rows.map { ListingID(rawValue: try $0.decode(at: 0)) }
                guard !ids.isEmpty else { return }
                let shelves = try ShelfStore.lock(.shelves(shop, ids), in: work.transaction)
                try levels.request(shelves, retryRejected: false, correlation: "sweep", in: work)
            }
        }
    }
}
