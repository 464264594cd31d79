import Domain
import Foundation
import Settings
import Transfer

/// What of the configuration decides order reports.
struct BridgeSettings: Sendable {
    struct Shop: Sendable {
        let name: ShopName
        let timeZone: TimeZone
        let report: Schedule
        /// Whether order-collector reads its orders; where it does not, there is nothing to wait for.
        let isCollected: Bool
    }

    let shops: [ShopName: Shop]
    let company: String
    let erpName: String
    let mailbox: [MailAddress]
    let sender: MailAddress
    let nameLimit: Int
    let waitSeconds: Double

    init(_ configuration: StockbridgeConfiguration) throws {
        let all = configuration.shops.map { shop in
            Shop(
                name: shop.name, timeZone: shop.timeZone, report: shop.schedules.report,
                isCollected: shop.orders.collect)
        }
        shops = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
        company = configuration.company
        erpName = configuration.erp.name
        mailbox = try configuration.erp.mailbox.map { try MailAddress(parsing: $0) }
        sender = try MailAddress(parsing: configuration.mail.from)
        nameLimit = configuration.erp.nameLimit
        waitSeconds = Double(configuration.erp.reportWaitMinutes) * 60
    }

    /// In order of their names.
    var shopsInOrder: [Shop] { shops.values.sorted { $0.name < $1.name } }
}

/// Which report of which shop: batch ids, file names and Message-IDs are made from it.
enum BatchName {
    /// `<shop>-<yyyyMMdd>-<HHmm>`: the due time by the shop's clock.
    static func id(shop: ShopName, due: Date, timeZone: TimeZone) -> String {
        let style = Date.VerbatimFormatStyle(
            format: """
                \(year: .padded(4))\(month: .twoDigits)\(day: .twoDigits)-\
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased))\(minute: .twoDigits)
                """, timeZone: timeZone, calendar: Calendar(identifier: .gregorian))
        return "\(shop)-\(due.formatted(style))"
    }

    /// The same for each attempt at the same mail, so that its reader's program recognises a second copy.
    ///
    /// - Parameter repetition: Counts the times that an operator had it mailed again; 0 is the first mail.
    static func messageID(batch: String, repetition: Int, sender: MailAddress) -> String {
        let safe = batch.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "_" }
        let domain = sender.address.split(separator: "@").last.map(String.init) ?? "localhost"
        return "<order-report.\(String(safe))\(repetition == 0 ? "" : ".resent-\(repetition)")@\(domain)>"
    }

    /// Seconds do not count: a report asked for by hand in the minute of a scheduled one is the same report.
    static func wholeMinute(_ moment: Date) -> Date {
        Date(timeIntervalSince1970: (moment.timeIntervalSince1970 / 60).rounded(.down) * 60)
    }
}
