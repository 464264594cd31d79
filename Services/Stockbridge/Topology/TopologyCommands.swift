import ArgumentParser
import Foundation
import Settings
import Transfer

/// `stockbridge topology`.
struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "Compare the broker with the configuration, and bring it there.",
        discussion: """
            EXAMPLES:
              stockbridge topology plan        what apply would do
              stockbridge topology apply       users, permissions, exchanges, queues and bindings; safe to repeat
              stockbridge topology verify      3 if the broker is not what it should be
            """,
        subcommands: [TopologyPlan.self, TopologyApply.self, TopologyVerify.self])
}

/// What the three commands say.
struct TopologyReport: Encodable, Sendable {
    var virtualHost: String
    var brokerVersion: String
    var done: [String]
    var differences: [TopologyDifference]
    var notes: [String]

    var inOrder: Bool { differences.isEmpty }

    func text(_ style: TextStyle) -> String {
        var lines = done
        lines += differences.map { difference in
            let word = difference.kind.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
            return (difference.appliable ? style.warning(word) : style.bad(word)) + difference.line
        }
        lines += notes.map { style.dim("note        " + $0) }
        let place = "virtual host \(virtualHost) on RabbitMQ \(brokerVersion)"
        lines.append(
            inOrder
                ? style.good("The \(place) is as it should be.")
                : "\(Wording.count(differences.count, "difference")) in \(place).")
        return lines.joined(separator: "\n")
    }

    private enum CodingKeys: String, CodingKey {
        case virtualHost, brokerVersion, done, differences, notes, inOrder
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(virtualHost, forKey: .virtualHost)
        try container.encode(brokerVersion, forKey: .brokerVersion)
        try container.encode(inOrder, forKey: .inOrder)
        try container.encode(done, forKey: .done)
        try container.encode(differences, forKey: .differences)
        try container.encode(notes, forKey: .notes)
    }
}

extension GlobalOptions {
    /// Runs `body` against the configuration's broker.
    fileprivate func withBroker(
        _ body: (TopologyOperator, StockbridgeConfiguration) async throws -> TopologyReport
    ) async throws -> TopologyReport {
        let configuration = try load()
        let transfer = TransferClient(options: TransferOptions())
        defer { transfer.close() }
        let report = try await body(try TopologyOperator(configuration, transfer: transfer), configuration)
        try print(report, text: report.text(Console.style))
        return report
    }
}

extension TopologyReport {
    fileprivate init(
        _ live: LiveTopology, _ configuration: StockbridgeConfiguration, done: [String] = [],
        _ differences: [TopologyDifference], notes: [String]? = nil
    ) {
        self.init(
            virtualHost: configuration.broker.virtualHost, brokerVersion: live.version, done: done,
            differences: differences, notes: notes ?? TopologyComparison.notes(version: live.version))
    }
}

/// `stockbridge topology plan`.
struct TopologyPlan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what apply would change; change nothing.")

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        _ = try await global.withBroker { broker, configuration in
            let live = try await broker.live()
            return TopologyReport(live, configuration, broker.comparison.differences(from: live))
        }
    }
}

/// `stockbridge topology apply`.
struct TopologyApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Create what is missing and set users and permissions; safe to repeat.",
        discussion: "Nothing is deleted. Ends with 3 if something is left that a person has to do.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: .long, help: "Accepted for scripts; nothing is asked, for nothing is deleted.")
    var yes = false

    func run() async throws {
        let report = try await global.withBroker { broker, configuration in
            var done: [String] = []
            var progress = ProgressLine()
            let before = try await broker.live()
            if !broker.comparison.differences(from: before).isEmpty {
                try await broker.apply(to: before) { line in
                    done.append(line)
                    if Console.isTerminal { progress.show(line) }
                }
            }
            progress.finish()
            let after = try await broker.live()
            return TopologyReport(after, configuration, done: done, broker.comparison.differences(from: after))
        }
        if !report.inOrder { throw ExitStatus.attention }
    }
}

/// `stockbridge topology verify`.
struct TopologyVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compare, and look for known traps; ends with 3 if anything is not right.",
        discussion: """
            Says what is missing, what differs, what is too much, what a policy undoes, what this version of RabbitMQ \
            cannot do, and which alarms are in effect. Notes are worth knowing, and are no reason to end with 3: what \
            is special about the version, and queues that nobody takes anything from.
            """)

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let report = try await global.withBroker { broker, configuration in
            let live = try await broker.live()
            return TopologyReport(
                live, configuration, broker.comparison.differences(from: live) + broker.comparison.alarms(live),
                notes: broker.comparison.notes(live))
        }
        if !report.inOrder { throw ExitStatus.attention }
    }
}
