import Contracts
import Foundation
import Logging
import Messaging
import PostgreSQL
import RabbitMQ
import ServiceKit
import Settings

/// What a service answered to a command.
struct CommandResult: Sendable, Encodable {
    enum State: String, Sendable, Encodable {
        /// Not answered yet; the command stays queued.
        case requested
        case done, refused, failed
    }

    var id: UUID
    var service: String
    var verb: String
    var state: State
    /// The answer's sentence, or what is known about where the command is.
    var message: String
    /// The whole answer, where the service said more than a sentence.
    var answer: JSONValue?
    /// Whether the broker has it; if not, the next command takes it along.
    var isPublished = true

    /// Whether the answer speaks of a file that a person has to decide about.
    private var namesHeldFile: Bool {
        let files = answer?.object?["files"]?.array ?? []
        let states = ([answer] + files).compactMap { $0?.object?["state"]?.string }
        return states.contains { ["held", "refused", "unreadable", "failed"].contains($0) }
    }

    /// - Throws: ``ExitStatus`` unless it was carried out and leaves nothing to decide.
    func finish(_ global: GlobalOptions) throws {
        let style = Console.style
        let text: String =
            switch state {
            case .done: message
            case .refused: style.warning("refused: ") + message
            case .failed: style.bad("failed: ") + message
            case .requested: message
            }
        try global.print(self, text: text)
        switch state {
        case .done: if namesHeldFile { throw ExitStatus.attention }
        case .refused, .failed: throw ExitStatus.failed
        case .requested: throw ExitStatus.attention
        }
    }
}

/// Hands commands to the services that own the rules, and brings back their answers.
struct CommandDesk {
    /// Together a few seconds: longer than another call needs to publish what it holds.
    private static let looksAtOutbox = 50

    private let configuration: StockbridgeConfiguration
    private let database: OperatorDatabase

    init(_ configuration: StockbridgeConfiguration, _ database: OperatorDatabase) {
        self.configuration = configuration
        self.database = database
    }

    /// Who is at the keyboard, also behind sudo.
    static var operatorName: String {
        ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()
    }

    /// Submits a command and waits for its answer.
    ///
    /// The command, the audit entry and the message commit together; if the broker is away the message stays in the
    /// outbox, and any later command takes it along.
    ///
    /// - Parameters:
    ///   - reason: Why, as the operator says it; kept in the audit.
    ///   - waitSeconds: How long to wait for the answer.
    func submit(
        _ service: ServiceName, _ verb: Command.Verb, _ arguments: [String: JSONValue], reason: String? = nil,
        requestedBy: String = operatorName, waitSeconds: Double
    ) async throws -> CommandResult {
        let id = UUID()
        try await record(id, service, verb, arguments, reason: reason, requestedBy: requestedBy)
        if let problem = await relay(id) {
            return CommandResult(
                id: id, service: service.rawValue, verb: verb.rawValue, state: .requested,
                message: "The command is recorded, but the broker did not take it: \(problem) "
                    + "The next command of 'stockbridge' takes it along.", isPublished: false)
        }
        return try await answer(to: id, service, verb, waitSeconds: waitSeconds)
    }

    private func record(
        _ id: UUID, _ service: ServiceName, _ verb: Command.Verb, _ arguments: [String: JSONValue], reason: String?,
        requestedBy: String
    ) async throws {
        let text = String(decoding: try ContractCoding.encode(arguments), as: UTF8.self)
        let own = ServiceDatabase(pool: database.pool, service: .stockbridge, now: { OperatorClock.now })
        try await own.unitOfWork { work in
            try work.transaction.execute(
                "SELECT shared.submit_command($1, $2, $3, $4, $5)",
                [.uuid(id), .text(service.rawValue), .text(verb.rawValue), .text(text), .text(requestedBy)])
            try work.transaction.execute(
                "INSERT INTO operations.audit (id, who, what, arguments, why) VALUES ($1, $2, $3, $4, $5)",
                [
                    .uuid(id), .text(requestedBy), .text("\(service.rawValue) \(verb.rawValue)"), .text(text),
                    .maybe(reason, PostgresValue.text),
                ])
            work.send(
                try OutboxMessage.command(
                    id: id, verb, arguments: arguments, to: service, from: .stockbridge, requestedBy: requestedBy,
                    at: work.startedAt))
        }
    }

    /// Publishes what is in the operator's outbox; a sentence if that did not work for this command.
    private func relay(_ id: UUID) async -> String? {
        do {
            let publisher = Publisher(try configuration.brokerConfiguration(for: .stockbridge, purpose: "publisher"))
            let relay = OutboxRelay(
                configuration: try configuration.databaseConfiguration(for: .stockbridge, purpose: "relay"),
                publisher: publisher, service: .stockbridge, stop: StopSignal(),
                logger: Logger(label: "stockbridge") { _ in SwiftLogNoOpLogHandler() })
            let problem: String?
            do { problem = try await publish(id, relay) } catch { problem = "\(error)" }
            await publisher.close()
            return problem
        } catch {
            return "\(error)"
        }
    }

    /// Another 'stockbridge' that publishes at the same moment may hold the row: then it goes out there, or here after.
    private func publish(_ id: UUID, _ relay: OutboxRelay) async throws -> String? {
        for _ in 1...Self.looksAtOutbox {
            try await relay.relayUntilEmpty()
            let rows = try await database.pool.query(
                "SELECT last_error FROM operations.outbox WHERE id = $1", [.uuid(id)])
            guard let row = rows.first else { return nil }
            if let problem = try row.decode("last_error", as: String?.self) { return problem }
            try await Task.sleep(for: .milliseconds(100))
        }
        return "another 'stockbridge' is just publishing it."
    }

    private func answer(
        to id: UUID, _ service: ServiceName, _ verb: Command.Verb, waitSeconds: Double
    ) async throws -> CommandResult {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: .seconds(max(0, waitSeconds)))
        var progress = ProgressLine()
        defer { progress.finish() }
        while true {
            if let result = try await storedAnswer(to: id) { return result }
            guard clock.now < end else { break }
            if Console.isTerminal { progress.show("waiting for \(service.rawValue) to answer ...") }
            try await Task.sleep(for: .milliseconds(150))
        }
        let look = "stockbridge run answer \(id.uuidString.lowercased())"
        return CommandResult(
            id: id, service: service.rawValue, verb: verb.rawValue, state: .requested,
            message: "\(service.rawValue) has not answered within \(Wording.duration(waitSeconds)). The command stays "
                + "queued and is carried out once the service runs: '\(look)' shows its answer, 'stockbridge status' "
                + "whether the service is alive.")
    }

    /// The answer if there is one.
    func storedAnswer(to id: UUID) async throws -> CommandResult? {
        let rows = try await database.pool.query(
            "SELECT service, verb, state, answer FROM shared.command_state($1)", [.uuid(id)])
        guard let row = rows.first else { return nil }
        let state = CommandResult.State(rawValue: try row.decode("state")) ?? .requested
        guard state != .requested else { return nil }
        let answer = (try row.decode("answer", as: String?.self)).flatMap { text in
            try? ContractCoding.decode(JSONValue.self, from: Array(text.utf8))
        }
        return CommandResult(
            id: id, service: try row.decode("service"), verb: try row.decode("verb"), state: state,
            message: answer?.object?["message"]?.string ?? "\(state.rawValue)", answer: answer)
    }
}

extension GlobalOptions {
    /// Loads the configuration, submits one command and says what became of it.
    func command(
        _ service: ServiceName, _ verb: Command.Verb, _ arguments: [String: JSONValue], reason: String? = nil,
        waitSeconds: Double
    ) async throws {
        let configuration = try load()
        let result = try await OperatorDatabase.with(configuration) { database in
            try await CommandDesk(configuration, database).submit(
                service, verb, arguments, reason: reason, waitSeconds: waitSeconds)
        }
        try result.finish(self)
    }
}
