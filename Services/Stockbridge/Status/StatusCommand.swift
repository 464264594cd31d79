import ArgumentParser
import Domain
import Foundation
import Settings

/// `stockbridge status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What ran, what is due, what is stuck, per shop.",
        discussion: """
            EXAMPLES:
              stockbridge status
              stockbridge status --json
              stockbridge status --wait-for runs --timeout 120     until every shop has the newest stock

            Ends with 3 if something needs attention. With --wait-for, ends with 1 if the time is up first.
            """)

    /// What a script waits for.
    enum Goal: String, CaseIterable, ExpressibleByArgument {
        /// No run is open, and every shop has had a run over the newest stock.
        case runs
        /// Every shop's catalogue is read and mapped.
        case catalogues
    }

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Wait until all is done: runs or catalogues.")
    var waitFor: Goal?

    @Option(name: .long, help: ArgumentHelp("How long --wait-for waits.", valueName: "seconds"))
    var timeout: Double = 600

    func validate() throws {
        guard timeout > 0 else { throw ValidationError("--timeout takes a number of seconds above 0.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let status = try await OperatorDatabase.with(configuration) { database in
            if let waitFor {
                try await GoalWatch(
                    store: GoalStore(database: database), shops: configuration.shops.map(\.name.rawValue)
                )
                .wait(for: waitFor, timeoutSeconds: timeout)
            }
            return try await StatusStore(database: database).status(configuration)
        }
        let text = StatusText(
            status: status, wording: Wording(timeZone: configuration.timeZone), style: Console.style)
        try global.print(status, text: waitFor == nil ? text.text : text.shops)
        // Who waits for a goal asks whether it was reached; what else needs attention is in the text.
        if waitFor == nil && !status.attention.isEmpty { throw ExitStatus.attention }
    }
}
