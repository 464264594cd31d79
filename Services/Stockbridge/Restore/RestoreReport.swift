import Foundation

/// What `after-restore` did, or would do.
struct RestoreReport: Encodable, Sendable {
    /// The newest report of a shop that counts as sent.
    struct Newest: Encodable, Sendable, Equatable {
        var shop: String
        /// Nil if no report of the shop does.
        var batch: String?
    }

    var dryRun: Bool
    /// The newest sign of life in the database: about the moment that was restored.
    var restoredTo: Date?
    /// Reports that were read from files, by batch id, and orders that stand in them.
    var reports: [String] = []
    var ordersTold = 0
    /// What is missing in the folder and was accepted, as sentences.
    var gapsAccepted: [String] = []
    /// Of every shop, whether it has reports or not; only a person can compare it with the ERP's mailbox.
    var newestReports: [Newest] = []
    /// Reports that were not finished then and are made anew.
    var reportsMadeAnew: [String] = []
    /// Reports of the last day before that moment whose `order.reported` is said again.
    var reportsSaidAgain = 0
    var shelvesToRead = 0
    var commandsLost = 0
    var messagesForgotten = 0
    var lettersWaitingAgain = 0
    /// Shops that wrote then and are in shadow now.
    var shopsInShadow: [String] = []

    func text(_ wording: Wording, now: Date) -> String {
        let moment = restoredTo.map { wording.moment($0, now: now) } ?? "an unknown moment"
        var lines = ["The database is as it was at about \(moment).\(dryRun ? " Nothing was changed yet." : "")", ""]
        lines += reports.map { " the ERP has   \($0)" }
        lines += reportsMadeAnew.map { " made anew     \($0)" }
        lines += gapsAccepted.map { " accepted      \($0)" }
        lines += newestLines + [""]
        let counts = [
            ("orders in those reports", ordersTold),
            ("older reports that services are told of again", reportsSaidAgain),
            ("shelves to be read back before they are written", shelvesToRead),
            ("messages in hand that are forgotten", messagesForgotten),
            ("commands that were not answered", commandsLost), ("dead letters that wait again", lettersWaitingAgain),
        ]
        let width = counts.map(\.0.count).max() ?? 0
        lines += counts.map { label, count in
            " \(label.padding(toLength: width, withPad: " ", startingAt: 0)) \(Wording.grouped(count))"
        }
        guard !shopsInShadow.isEmpty else { return lines.joined(separator: "\n") }
        lines += ["", "In shadow until you let them write again, once stock and orders are up to date:"]
        lines += shopsInShadow.map { "  stockbridge shadow off \($0)" }
        return lines.joined(separator: "\n")
    }

    private var newestLines: [String] {
        guard !newestReports.isEmpty else { return [] }
        let width = newestReports.map(\.shop.count).max() ?? 0
        return [
            "",
            "The newest report of each shop that counts as sent. Compare it with the last one in the ERP's mailbox: if",
            "the ERP has a later one, put its file into the folder and run this again before any service starts, or",
            "its orders go to the ERP a second time:",
        ]
            + newestReports.map { newest in
                " \(newest.shop.padding(toLength: width, withPad: " ", startingAt: 0))  \(newest.batch ?? "none")"
            }
    }
}
