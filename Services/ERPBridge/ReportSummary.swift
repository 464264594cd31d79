import Domain
import Foundation

/// What is in a batch, as it stands on *Control*, in the mail and in the table.
struct ReportSummary: Sendable, Equatable {
    /// Orders on *Lines*.
    var orders = 0
    /// Rows of *Lines*.
    var lines = 0
    /// ERP units on *Lines*.
    var units = Quantity.zero
    /// The sums of the orders on *Lines*.
    var totals: [String: Amount] = [:]
    /// Orders on *Changes*.
    var changes = 0
    /// Orders on *Held*.
    var held = 0
    /// Orders that were cancelled before they were ever sent.
    var cancelledUnsent = 0
    /// Revisions that a newer one in this batch replaces.
    var superseded = 0

    /// Such as `VND 410000`, by currency.
    var totalsText: String {
        totals.isEmpty
            ? "nothing" : totals.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}

/// Which batch is being made, and what is known around it.
struct ReportHead: Sendable {
    let batch: String
    let build: Int
    let shop: BridgeSettings.Shop
    let due: Date
    let madeAt: Date
    /// The batch of the shop that was built before this one, and when that was due.
    let previousBatch: String?
    let windowFrom: Date?
    /// Up to when the shop's orders are known; nil if they never were collected.
    let completeUpTo: Date?

    /// Whether everything up to the due time is in it.
    var isComplete: Bool { completeUpTo.map { $0 >= due } ?? false }

    /// A sentence about how complete it is, which never lets a dead feed pass for an empty day.
    var completeness: String {
        guard let completeUpTo else {
            return "NOT COMPLETE: the orders of shop \(shop.name) were never collected; orders may be missing."
        }
        if isComplete { return "Complete up to \(localText(completeUpTo))." }
        return """
            NOT COMPLETE: the orders of shop \(shop.name) are known only up to \(localText(completeUpTo)); later ones \
            are missing and stand in a later report.
            """
    }

    /// Such as `2026-11-22 12:00 (Asia/Ho_Chi_Minh)`.
    func localText(_ moment: Date) -> String {
        let style = Date.VerbatimFormatStyle(
            format: """
                \(year: .padded(4))-\(month: .twoDigits)-\(day: .twoDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits)
                """, timeZone: shop.timeZone, calendar: Calendar(identifier: .gregorian))
        return "\(moment.formatted(style)) (\(shop.timeZone.identifier))"
    }
}
