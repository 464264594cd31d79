import ArgumentParser
import Contracts
import DeadLetters
import Foundation
import Settings

/// `stockbridge dead-letters replay`.
struct LettersReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Send dead letters again to the queue that failed, as a job.",
        discussion: """
            The letters are frozen when you are asked: what fails later is not among them. The job is notifier's and
            goes on without this tool; 'dead-letters jobs' shows it, pauses it, resumes it and cancels it. It stops by
            itself when more than --stop-at of its outcomes are failures.

            EXAMPLES:
              stockbridge dead-letters replay --shop hanoi --dry-run           what would happen to each, now
              stockbridge dead-letters replay --shop hanoi --reason "hanoi is mended"
              stockbridge dead-letters replay 17 18 --reason "edited" --wait 60
              stockbridge dead-letters replay --since 06:00 --canary 10 --rate 50/s --stop-at 20% \\
                  --reason "hanoi is mended" --yes
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var letters: LetterOptions

    @Flag(name: .long, help: "Say what would happen to each letter now; send nothing.")
    var dryRun = false

    @Option(name: .long, help: "With --dry-run: name so many letters; all are counted.")
    var limit = 20

    @Option(name: .long, help: "So many first, the rest once each of them has an outcome (default 10, 0 up to 20).")
    var canary: Int?

    @Option(name: .long, help: ArgumentHelp("Letters a second, as 50 or 50/s.", valueName: "rate"))
    var rate = ReplayRate(perSecond: 50)

    @Option(name: .long, help: ArgumentHelp("Stop when more than this share fails, as 10% or 0.1.", valueName: "share"))
    var stopAt = ReplayShare(value: 0.1)

    @Option(name: .long, help: "Why; kept with each letter and in the audit. Required unless --dry-run.")
    var reason: String?

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    @Option(name: .long, help: ArgumentHelp("Follow the job until it ends, at most so long.", valueName: "seconds"))
    var wait: Double = 0

    func validate() throws {
        guard wait >= 0 else { throw ValidationError("--wait takes a number of seconds, 0 or more.") }
        guard (0...10_000).contains(limit) else { throw ValidationError("--limit is from 0 to 10000.") }
        if let canary, !(0...1_000).contains(canary) { throw ValidationError("--canary is from 0 to 1000.") }
        guard !dryRun else { return }
        guard let reason, !reason.allSatisfy(\.isWhitespace) else {
            throw ValidationError("--reason must say why; or look first with --dry-run.")
        }
    }

    func run() async throws {
        let configuration = try global.load()
        if dryRun { return try await foretell(configuration) }
        let frozen = try await OperatorDatabase.with(configuration) { database in
            try await FrozenLetters(letters, configuration, database)
        }
        let plan = ReplayPlan(
            job: UUID(), letters: frozen.found.count, rate: rate, canary: canary, stopAt: stopAt, reason: reason ?? "")
        if !global.json { Console.write(frozen.text(Console.style)) }
        try Console.confirm(plan.question, yes: yes)
        let arguments = plan.arguments(filter: try frozen.json)
        let result = try await OperatorDatabase.with(configuration) { database in
            try await LetterDesk(configuration, database).submit(
                .replay, arguments, reason: reason, waitSeconds: 30)
        }
        guard result.state == .done else { return try result.finish(global) }
        try await follow(plan.job, after: result, configuration)
    }

    private func foretell(_ configuration: StockbridgeConfiguration) async throws {
        var line = ProgressLine()
        let summary = try await OperatorDatabase.with(configuration) { database in
            let frozen = try await FrozenLetters(letters, configuration, database)
            defer { line.finish() }
            return try await ForecastStore(database: database, queues: ForecastStore.queues(of: configuration))
                .summary(frozen.filter, limit: limit) { done in
                    guard Console.isTerminal, frozen.found.count > ForecastStore.pageSize else { return }
                    line.show(
                        "looked at \(Wording.grouped(done)) of \(Wording.grouped(frozen.found.count)) letters ...")
                }
        }
        try global.print(summary, text: ForecastText(summary: summary, style: Console.style).text)
    }

    private func follow(
        _ job: UUID, after result: CommandResult, _ configuration: StockbridgeConfiguration
    ) async throws {
        if !global.json { Console.write(ReplayPlan.started(job, message: result.message)) }
        guard wait > 0 else {
            if global.json { Console.write(try JSONText.of(ReplayAnswer(job: job, command: result, progress: nil))) }
            return
        }
        let progress = try await OperatorDatabase.with(configuration) { database in
            try await JobWatch(store: JobStore(database: database)).follow(job, seconds: wait)
        }
        if global.json {
            Console.write(try JSONText.of(ReplayAnswer(job: job, command: result, progress: progress)))
        } else {
            Console.write(JobText.outcome(progress, style: Console.style))
        }
        if progress.needsAttention || progress.isOpen { throw ExitStatus.attention }
    }
}

/// What `replay --json` says.
private struct ReplayAnswer: Encodable {
    var job: UUID
    var command: CommandResult
    var progress: ReplayJob?

    private enum CodingKeys: String, CodingKey { case job, command, progress }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(job.uuidString.lowercased(), forKey: .job)
        try container.encode(command, forKey: .command)
        try container.encodeIfPresent(progress, forKey: .progress)
    }
}

/// How a replay is going to run.
struct ReplayPlan: Sendable {
    /// Up to so many letters are their own canary.
    static let smallSet = 20
    static let usualCanary = 10

    let job: UUID
    let letters: Int
    let rate: ReplayRate
    let canary: Int
    let stopAt: ReplayShare
    let reason: String

    /// - Parameter canary: As the person says it; by default 10, and none for a small set.
    init(job: UUID, letters: Int, rate: ReplayRate, canary: Int?, stopAt: ReplayShare, reason: String) {
        (self.job, self.letters, self.rate, self.stopAt, self.reason) = (job, letters, rate, stopAt, reason)
        self.canary = min(letters, canary ?? (letters > Self.smallSet ? Self.usualCanary : 0))
    }

    var question: String {
        let first = canary > 0 && canary < letters ? ", \(canary) of them first" : ""
        let seconds = Double(letters) / rate.perSecond
        let time = seconds < 2 ? "" : " (at least \(Wording.duration(seconds)))"
        return "Send \(Wording.count(letters, "letter")) again\(first), \(rate)\(time), "
            + "stopping above \(stopAt) failures?"
    }

    /// The arguments of notifier's command `replay`.
    func arguments(filter: JSONValue) -> [String: JSONValue] {
        [
            "job": .string(job.uuidString.lowercased()), "filter": filter, "rate": .number(rate.perSecond),
            "canary": .integer(Int64(canary)), "stop_share": .number(stopAt.value), "reason": .string(reason),
        ]
    }

    static func started(_ job: UUID, message: String) -> String {
        let id = SnapshotText.short(job)
        return """
            \(message)
            job \(job.uuidString.lowercased())
              stockbridge dead-letters jobs show \(id)     how it is getting on
              stockbridge dead-letters jobs pause \(id)    let it rest; resume lets it go on, cancel ends it
            """
    }
}

/// Letters a second: `50` or `50/s`.
struct ReplayRate: ExpressibleByArgument, CustomStringConvertible, Sendable, Equatable {
    let perSecond: Double

    init(perSecond: Double) { self.perSecond = perSecond }

    init?(argument: String) {
        let number = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
        guard let value = Double(number), value >= 0.01, value <= 10_000 else { return nil }
        perSecond = value
    }

    var description: String {
        perSecond == perSecond.rounded() ? "\(Int(perSecond))/s" : "\(perSecond)/s"
    }

    var defaultValueDescription: String { description }
}

/// A share of the whole: `10%` or `0.1`.
struct ReplayShare: ExpressibleByArgument, CustomStringConvertible, Sendable, Equatable {
    let value: Double

    init(value: Double) { self.value = value }

    init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else { return nil }
        let share = isPercent ? number / 100 : number
        guard (0...1).contains(share) else { return nil }
        value = share
    }

    var description: String {
        let percent = (value * 1_000).rounded() / 10
        return percent == percent.rounded() ? "\(Int(percent))%" : "\(percent)%"
    }

    var defaultValueDescription: String { description }
}
