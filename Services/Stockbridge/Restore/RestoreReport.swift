import Foundation

/// What `after-restore` did, or would do.
struct RestoreReport: Encodable, Sendable {
    var dryRun: Bool
    /// The last sign of life in the database: about the moment that was restored.
    var restoredTo: Date?
    /// Reports that were read from files, by batch id, and orders that stand in them.
    var reports: [String] = []
    var ordersTold = 0
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
        lines += [
            "", " orders in those reports                       \(Wording.grouped(ordersTold))",
            " older reports that services are told of again \(Wording.grouped(reportsSaidAgain))",
            " shelves to be read back before they are written \(Wording.grouped(shelvesToRead))",
            " messages in hand that are forgotten           \(Wording.grouped(messagesForgotten))",
            " commands that were not answered               \(Wording.grouped(commandsLost))",
            " dead letters that wait again                  \(Wording.grouped(lettersWaitingAgain))",
        ]
        guard !shopsInShadow.isEmpty else { return lines.joined(separator: "\n") }
        lines += ["", "In shadow until you let them write again, once stock and orders are up to date:"]
        lines += shopsInShadow.map { "  stockbridge shadow off \($0)" }
        return lines.joined(separator: "\n")
    }
}
