import ArgumentParser
import Contracts
import Foundation
import RabbitMQ
import ServiceKit
import Settings

/// Hands commands about dead letters to notifier, which owns them.
struct LetterDesk {
    private let configuration: StockbridgeConfiguration
    private let desk: CommandDesk

    init(_ configuration: StockbridgeConfiguration, _ database: OperatorDatabase) {
        self.configuration = configuration
        desk = CommandDesk(configuration, database)
    }

    /// Submits a command once the broker is seen to be there: a change to many messages is not left behind for some
    /// later moment at which nobody expects it.
    func submit(
        _ verb: Command.Verb, _ arguments: [String: JSONValue], reason: String?, waitSeconds: Double
    ) async throws -> CommandResult {
        try await requireBroker()
        return try await desk.submit(.notifier, verb, arguments, reason: reason, waitSeconds: waitSeconds)
    }

    private func requireBroker() async throws {
        let session = TopologySession(try configuration.brokerConfiguration(for: .stockbridge, purpose: "look"))
        do throws(BrokerError) {
            try await session.connect()
        } catch {
            await session.close()
            throw ToolError.failed("\(error) Nothing was changed.")
        }
        await session.close()
    }
}

extension CommandResult {
    /// - Throws: ``ExitStatus`` unless it was carried out.
    func requireDone() throws {
        switch state {
        case .done: return
        case .refused, .failed: throw ExitStatus.failed
        case .requested: throw ExitStatus.attention
        }
    }
}

/// What `archive` and `replay` say when the filter takes nothing.
enum NothingMeant {
    static let error = ToolError.failed("No dead letter that waits is meant by this. Nothing was done.")
}
