import ArgumentParser
import Concurrency
import Contracts
import DeadLetters
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// `stockbridge dead-letters drain`.
struct LettersDrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Take the dead letters off the broker once, while notifier does not run.",
        discussion: """
            notifier does this by itself all the time. Uses notifier's accounts, so the configuration that is read
            must let this user have their passwords.

            EXAMPLES:
              stockbridge dead-letters drain
              stockbridge dead-letters drain --service erp-bridge --json
            """)

    private struct Answer: Encodable {
        struct Service: Encodable {
            var service: String
            var new: Int
            var again: Int
            var known: Int
            var refused: Int
        }
        var services: [Service]
    }

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Of this service only.")
    var service: String?

    func validate() throws {
        if let service { try LetterOptions.requireService(service) }
    }

    func run() async throws {
        let configuration = try global.load()
        let services = ServiceName.allCases.filter { name in
            name != .stockbridge && (service.map { $0 == name.rawValue } ?? true)
        }
        let pool = PostgresPool(
            try configuration.databaseConfiguration(for: .notifier, purpose: "drain"), maximumConnections: 1)
        let outcome: Result<Answer, any Error>
        do { outcome = .success(try await drain(services, configuration, pool)) } catch { outcome = .failure(error) }
        await pool.close()
        let answer = try outcome.get()
        try global.print(answer, text: Self.text(answer))
        if answer.services.contains(where: { $0.refused > 0 }) { throw ExitStatus.attention }
    }

    private func drain(
        _ services: [ServiceName], _ configuration: StockbridgeConfiguration, _ pool: PostgresPool
    ) async throws -> Answer {
        var answer = Answer(services: [])
        for service in services {
            let archiver = Archiver(
                service: service, broker: try configuration.brokerConfiguration(for: .notifier, purpose: "drain"),
                pool: pool, stop: StopSignal(), logger: Logger(label: "stockbridge") { _ in SwiftLogNoOpLogHandler() },
                now: { OperatorClock.now })
            let count = try await archiver.drainOnce()
            answer.services.append(
                Answer.Service(
                    service: service.rawValue, new: count.new, again: count.again, known: count.unchanged,
                    refused: count.refused))
        }
        return answer
    }

    private static func text(_ answer: Answer) -> String {
        let total = answer.services.reduce(0) { $0 + $1.new + $1.again }
        guard answer.services.contains(where: { $0.new + $0.again + $0.known + $0.refused > 0 }) else {
            return "There are no dead letters on the broker."
        }
        var table = TextTable([
            ("service", .left), ("new", .right), ("died again", .right), ("known", .right), ("refused", .right),
        ])
        for entry in answer.services where entry.new + entry.again + entry.known + entry.refused > 0 {
            table.add([entry.service] + [entry.new, entry.again, entry.known, entry.refused].map(Wording.grouped))
        }
        return table.text(indent: 0) + "\n\(Wording.count(total, "letter")) stored."
    }
}
