import ArgumentParser
import Contracts
import Foundation
import Messaging
import RabbitMQ
import ServiceKit
import Settings
import Transfer

/// `stockbridge unrouted`.
struct UnroutedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unrouted", abstract: "Events that reached nobody: find, send again, discard.",
        discussion: """
            An event that no queue is bound to lies in the broker's queue stockbridge.unrouted. Each command looks at \
            the oldest 10,000 of them, holds those until its end, and gives back what it does not remove.

            EXAMPLES:
              stockbridge unrouted list               which topics, how many, since when
              stockbridge topology apply              binds what is missing
              stockbridge unrouted resend --dry-run   which of them have all their queues now
              stockbridge unrouted resend --reason "the bindings are back"
              stockbridge unrouted discard --topic stock.held --reason "decided by hand"
            """,
        subcommands: [UnroutedList.self, UnroutedResend.self, UnroutedDiscard.self])
}

/// `stockbridge unrouted list`.
struct UnroutedList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The topics and the oldest events; removes none and shows no bodies.",
        discussion: """
            EXAMPLES:
              stockbridge unrouted list
              stockbridge unrouted list --limit 1000 --json
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Name so many events; all that are looked at are counted.")
    var limit = 50

    func validate() throws {
        guard (1...UnroutedQueue.mostLookedAt).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(UnroutedQueue.mostLookedAt).")
        }
    }

    func run() async throws {
        let configuration = try global.load()
        let survey = try await UnroutedQueue(configuration).survey(named: limit)
        let text = UnroutedListText(
            survey: survey, wording: Wording(timeZone: configuration.timeZone), style: Console.style,
            now: OperatorClock.now)
        try global.print(survey, text: text.text)
    }
}

/// `stockbridge unrouted resend`.
struct UnroutedResend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resend", abstract: "Publish them again, once each of their queues is bound.",
        discussion: """
            Sends what was there when the command began, with its topic and id; what still has not all of its queues \
            stays and is named, and the command ends with 3.

            EXAMPLES:
              stockbridge unrouted resend --dry-run
              stockbridge unrouted resend --reason "the bindings are back"
              stockbridge unrouted resend --topic order.created --reason "erp-bridge is bound again" --yes
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Of this topic only.")
    var topic: String?

    @Flag(name: .long, help: "Say what would be sent and what would stay; send nothing.")
    var dryRun = false

    @Option(name: .long, help: "Why; kept in the audit. Required unless --dry-run.")
    var reason: String?

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func validate() throws {
        try UnroutedFilter(topic: topic).validate()
        guard !dryRun else { return }
        guard let reason, !reason.allSatisfy(\.isWhitespace) else {
            throw ValidationError("--reason must say why; or look first with --dry-run.")
        }
    }

    func run() async throws {
        let configuration = try global.load()
        let queue = try UnroutedQueue(configuration)
        let survey = try await queue.survey(UnroutedFilter(topic: topic), named: 0)
        try survey.requireSome()
        var answer = UnroutedResent(survey, try await UnroutedRouting.live(configuration), dryRun: dryRun)
        if !dryRun, answer.sendable > 0 {
            if !global.json { Console.write(UnroutedResentText(answer: answer, style: Console.style).table) }
            try Console.confirm("Send \(Wording.count(answer.sendable, "event")) again?", yes: yes)
            try await send(&answer, survey, queue, configuration)
        }
        let text = UnroutedResentText(answer: answer, style: Console.style)
        try global.print(answer, text: answer.sent > 0 ? text.outcome : text.text)
        if !dryRun, answer.needsAttention { throw ExitStatus.attention }
    }

    private func send(
        _ answer: inout UnroutedResent, _ survey: UnroutedSurvey, _ queue: UnroutedQueue,
        _ configuration: StockbridgeConfiguration
    ) async throws {
        let plans = answer.topics
        try await OperatorDatabase.with(configuration) { database in
            try await UnroutedAudit(database: database, who: CommandDesk.operatorName, why: reason ?? "").resend(plans)
        }
        let publisher = Publisher(try configuration.brokerConfiguration(for: .stockbridge, purpose: "publisher"))
        var resending = UnroutedResending(
            queue: queue, publisher: publisher, topics: Set(plans.filter { $0.state == .bound }.map(\.topic)))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await resending.run(survey.frozen, total: survey.total)) } catch {
            outcome = .failure(error)
        }
        await publisher.close()
        try outcome.get()
        answer.sent = resending.sent
        answer.remaining = try await queue.count()
    }
}

/// `stockbridge unrouted discard`.
struct UnroutedDiscard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "Remove events that nobody is to have; each is kept whole in the audit.",
        discussion: """
            EXAMPLES:
              stockbridge unrouted discard --topic stock.held --reason "decided by hand"
              stockbridge unrouted discard --id 6f1c2a3b-5d3e-4f6a-8b7c-9d0e1f2a3b4c --reason "test data" --yes
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "All of this topic.")
    var topic: String?

    @Option(name: .long, help: "The one with this id, as 'list' shows it.")
    var id: String?

    @Option(name: .long, help: "Why; kept in the audit.")
    var reason: String

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func validate() throws {
        guard (topic == nil) != (id == nil) else { throw ValidationError("Say either --topic or --id.") }
        try UnroutedFilter(topic: topic, id: id).validate()
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let queue = try UnroutedQueue(configuration)
        let survey = try await queue.survey(UnroutedFilter(topic: topic, id: id), named: 0)
        try survey.requireSome()
        if !global.json {
            Console.write(
                UnroutedListText(
                    survey: survey, wording: Wording(timeZone: configuration.timeZone), style: Console.style,
                    now: OperatorClock.now
                ).topics)
        }
        try Console.confirm(
            "Discard \(Wording.count(survey.meant, "event"))? What they say is kept in the audit only.", yes: yes)
        let discarded = try await OperatorDatabase.with(configuration) { database in
            var discarding = UnroutedDiscarding(
                queue: queue,
                audit: UnroutedAudit(database: database, who: CommandDesk.operatorName, why: reason))
            try await discarding.run(survey.frozen, total: survey.total)
            return discarding.discarded
        }
        let answer = UnroutedDiscarded(
            topics: survey.topics, discarded: discarded, remaining: try await queue.count())
        try global.print(answer, text: answer.text)
    }
}

extension UnroutedFilter {
    fileprivate func validate() throws {
        for (name, value) in [("topic", topic), ("id", id)] {
            if let value, value.allSatisfy(\.isWhitespace) { throw ValidationError("--\(name) must say something.") }
        }
    }
}

extension UnroutedQueue {
    fileprivate init(_ configuration: StockbridgeConfiguration) throws {
        self.init(broker: try configuration.brokerConfiguration(for: .stockbridge, purpose: "unrouted"))
    }
}

extension UnroutedRouting {
    /// What the configuration binds, and what the broker does at this moment.
    fileprivate static func live(_ configuration: StockbridgeConfiguration) async throws -> UnroutedRouting {
        let transfer = TransferClient(options: TransferOptions())
        defer { transfer.close() }
        let live = try await ManagementClient(configuration, transfer: transfer).read(users: [])
        return UnroutedRouting(
            Topology(services: ServiceCatalogue.services(for: configuration)), live: live.bindings)
    }
}
