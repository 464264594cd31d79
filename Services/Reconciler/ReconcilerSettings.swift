import Domain
import Foundation
import Settings

/// What the configuration says about reconciling.
struct ReconcilerSettings: Sendable {
    /// A shop, in the configuration's order.
    struct Shop: Sendable {
        let name: ShopName
        let repairs: Bool
        let runDeadlineSeconds: Double
        let collectsOrders: Bool
        /// How long a verdict waits until the shop's orders are known up to the last look.
        let settleSeconds: Double
    }

    let company: String
    let shops: [Shop]
    let sources: [StockbridgeConfiguration.Source]
    let mailBy: Schedule
    let timeZone: TimeZone

    init(_ configuration: StockbridgeConfiguration) {
        company = configuration.company
        timeZone = configuration.timeZone
        mailBy = configuration.reconciliation.mailBy
        sources = configuration.sources
        shops = configuration.shops.map { shop in
            Shop(
                name: shop.name, repairs: shop.reconcileRepairs,
                runDeadlineSeconds: Double(shop.runDeadlineMinutes * 60), collectsOrders: shop.orders.collect,
                settleSeconds: min(300, Double(shop.orders.everySeconds * 2 + shop.orders.lagSeconds + 10)))
        }
    }

    func shop(_ name: ShopName) -> Shop? { shops.first { $0.name == name } }

    /// The business day of a moment, `2026-11-22`.
    func day(of moment: Date) -> String { moment.formatted(style.year().month().day()) }

    /// A moment as the company's clocks show it, `2026-11-22 06:01`.
    func localText(_ moment: Date) -> String {
        String(moment.formatted(style.dateTimeSeparator(.space)).prefix(16))
    }

    /// Days between two moments by the company's calendar; never negative.
    func days(from first: Date, to last: Date) -> Int {
        func number(_ moment: Date) -> Int {
            let local = moment.timeIntervalSince1970 + Double(timeZone.secondsFromGMT(for: moment))
            return Int((local / 86_400).rounded(.down))
        }
        return max(0, number(last) - number(first))
    }

    /// When a run stops waiting for shops: after the longest run of a shop, but some minutes before the mail is due, so
    /// that what there is can still be read. Never at once: a run begun just before the mail has a minute.
    func deadline(openedAt: Date) -> Date {
        let longest = shops.map(\.runDeadlineSeconds).max() ?? 1_800
        let byRuns = openedAt.addingTimeInterval(longest + 60)
        let byMail = mailBy.next(after: openedAt)?.addingTimeInterval(-300) ?? byRuns
        return max(min(byRuns, byMail), openedAt.addingTimeInterval(60))
    }

    private var style: Date.ISO8601FormatStyle { Date.ISO8601FormatStyle(timeZone: timeZone) }
}

/// A source's newest snapshot, as statements say it.
struct SourceStatement: Codable, Sendable, Equatable {
    var source: SourceName
    var asOf: Date
    var receivedAt: Date
}

/// Whether a source's numbers are of the day they should be of.
enum Freshness {
    /// The newest file is stale if one was due since and none came. A file that came in the half period before it was
    /// due counts for that time: the ERP was early.
    ///
    /// - Parameters:
    ///   - receivedAt: when the newest file came.
    ///   - schedule: when files are due.
    ///   - graceSeconds: by how much one may be late.
    ///   - now: the time.
    static func isStale(receivedAt: Date, schedule: Schedule, graceSeconds: Double, now: Date) -> Bool {
        let looked = now.addingTimeInterval(-graceSeconds)
        guard let due = schedule.latestDue(after: looked.addingTimeInterval(-40 * 86_400), upTo: looked),
            let before = schedule.latestDue(
                after: due.addingTimeInterval(-40 * 86_400), upTo: due.addingTimeInterval(-60))
        else { return false }
        return receivedAt < due.addingTimeInterval(-due.timeIntervalSince(before) / 2)
    }

    /// Listings that draw on an `as_of` up to this one are stale; nil if no source is.
    static func staleUpTo(_ statements: [SourceStatement], settings: ReconcilerSettings, now: Date) -> Date? {
        statements.filter { statement in
            guard let source = settings.sources.first(where: { $0.name == statement.source }) else { return false }
            return isStale(
                receivedAt: statement.receivedAt, schedule: source.schedule,
                graceSeconds: Double(source.lateAfterMinutes * 60), now: now)
        }.map(\.asOf).max()
    }
}
