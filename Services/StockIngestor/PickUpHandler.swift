import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// A run as its command asks for it.
struct RunRequest: Sendable {
    let id: UUID
    /// When the file was due; nil if a person asked.
    let due: Date?
    let isDryRun: Bool

    var correlation: String { id.uuidString.lowercased() }

    init(_ event: Event<Command>) {
        id = event.id
        due = event.payload.arguments["due"]?.string.flatMap { UTCTimestamp.parse($0) }
        isDryRun = event.payload.arguments["dry_run"]?.boolean ?? false
    }
}

/// Picks up stock files. A run that has to wait for its file comes back through a delay tier, so it holds nothing.
struct PickUpHandler: WorkHandler {
    /// How soon to come back when the database is away.
    static let databaseAwayMilliseconds = 5_000

    let parts: ServiceParts

    var leaseSeconds: Int { 120 }

    func perform(_ event: Event<Command>, _ context: WorkContext) async -> Outcome {
        let run = RunRequest(event)
        do {
            guard let sources = sources(of: event.payload) else { return try await refuse(event, context) }
            var (results, wait) = ([FileResult](), Int?.none)
            for source in sources {
                switch try await SourceLook(settings: source, parts: parts, run: run).look() {
                case .finished(let found): results += found
                case .lookAgain(let milliseconds): wait = min(wait ?? milliseconds, milliseconds)
                }
            }
            if let wait { return .later(milliseconds: wait) }
            let names = sources.map(\.name.rawValue).joined(separator: ", ")
            let answer = RunAnswer(
                results, quiet: "There is no new file at source \(names); the live numbers were not changed.")
            let state = Self.state(of: results)
            let prefix = run.isDryRun ? "Dry run, nothing was kept: " : ""
            try await context.complete { work in
                try work.answer(event.payload.commandID, state, answer.prefixed(prefix))
            }
            return .done
        } catch let error as PostgresError where error.isTransient {
            parts.logger.warning(
                "run interrupted, coming back", metadata: ["run": "\(run.correlation)", "problem": "\(error)"])
            return .later(milliseconds: Self.databaseAwayMilliseconds)
        } catch {
            return .retry(
                FailureReason(.defect, code: "pick_up", message: "Run \(run.correlation) failed: \(error)"))
        }
    }

    /// Nil if the command names a source that is not configured.
    private func sources(of command: Command) -> [StockbridgeConfiguration.Source]? {
        guard let name = command.arguments["source"]?.string else { return parts.configuration.sources }
        return parts.configuration.source(named: SourceName(rawValue: name)).map { [$0] }
    }

    private func refuse(_ event: Event<Command>, _ context: WorkContext) async throws -> Outcome {
        let known = parts.configuration.sources.map(\.name.rawValue).joined(separator: ", ")
        try await context.complete { work in
            try work.answer(
                event.payload.commandID, .refused,
                CommandMessage("There is no such source in the configuration; there are \(known)."))
        }
        return .done
    }

    private static func state(of results: [FileResult]) -> CommandState {
        guard let last = results.last else { return .done }
        switch last.state {
        case .failed: return .failed
        case .refused, .unreadable: return .refused
        case .live, .held, .unchanged: return .done
        }
    }
}
