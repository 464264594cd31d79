import ArgumentParser
import Foundation
import ServiceKit
import Settings

/// The operator's tool: what the executable `stockbridge` runs.
public enum OperatorTool {
    /// Parses the arguments, runs the command and ends the process.
    ///
    /// Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done but something needs attention.
    public static func run() async -> Never {
        do {
            var command = try StockbridgeCommand.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            ProcessEnd.now(ExitStatus.done.rawValue)
        } catch {
            ProcessEnd.now(report(error))
        }
    }

    /// Says what went wrong, each thing in one sentence, and returns the exit code.
    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case let status as ExitStatus:
            return status.rawValue
        case let invalid as InvalidConfiguration:
            Console.complain("\(invalid)")
            let count = invalid.problems.count
            Console.complain("\(count) \(count == 1 ? "problem" : "problems"); nothing was done.")
            return ExitStatus.usage.rawValue
        case let failure as ToolError:
            Console.complain("\(failure)")
            return failure.isUsage ? ExitStatus.usage.rawValue : ExitStatus.failed.rawValue
        default:
            return reportOther(error)
        }
    }

    private static func reportOther(_ error: any Error) -> Int32 {
        let code = StockbridgeCommand.exitCode(for: error)
        let isParsing = error is CleanExit || error is ValidationError || code == .validationFailure || code == .success
        guard isParsing else {
            Console.complain("\(error)")
            return ExitStatus.failed.rawValue
        }
        let message = StockbridgeCommand.fullMessage(for: error)
        guard code == .success else {
            Console.complain(message)
            return ExitStatus.usage.rawValue
        }
        Console.write(message)
        return ExitStatus.done.rawValue
    }
}

/// How a command ended; thrown to end with a code other than 0 after everything has been said.
enum ExitStatus: Int32, Error {
    case done = 0
    case failed = 1
    /// Wrong usage or configuration.
    case usage = 2
    /// Done, but something needs attention.
    case attention = 3
}

/// The root of all commands.
struct StockbridgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stockbridge",
        abstract: "Stock to every shop, orders to the ERP: what happens, why, and what to do about it.",
        discussion: """
            EXAMPLES:
              stockbridge status                          what ran, what is due, what needs a person
              stockbridge explain stock hanoi 8934567     why a shop shows the number it shows
              stockbridge explain order hanoi 10231       everything that happened to an order
              stockbridge stock accept 4f1c --reason "stock-take"
              stockbridge orders list --held              what is kept back from the ERP, and why
              stockbridge shadow off hanoi                let a new shop be written to
              stockbridge dead-letters groups             what failed for good, by kind of error
              stockbridge dead-letters replay --shop hanoi --dry-run

            Every command takes --json and --configuration PATH (or STOCKBRIDGE_CONFIGURATION).
            Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done but something needs attention.
            """,
        subcommands: [
            StatusCommand.self, RunCommand.self, StockCommand.self, ShadowCommand.self,
            OrdersCommand.self, ReportCommand.self, MappingCommand.self, ExplainCommand.self,
            DeadLettersCommand.self, UnroutedCommand.self, ConfigCommand.self, MigrateCommand.self,
            TopologyCommand.self, AfterRestoreCommand.self,
        ])
}
