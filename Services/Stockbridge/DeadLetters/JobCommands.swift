import ArgumentParser
import Contracts
import Foundation
import Settings

/// `stockbridge dead-letters jobs`.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Replays: how they are getting on; pause, resume and cancel them.",
        discussion: """
            EXAMPLES:
              stockbridge dead-letters jobs
              stockbridge dead-letters jobs show 4f1c                 what failed again, and why
              stockbridge dead-letters jobs show 4f1c --wait 600      follow it until it ends
              stockbridge dead-letters jobs pause 4f1c
              stockbridge dead-letters jobs resume 4f1c               goes on, also after it stopped by itself
              stockbridge dead-letters jobs cancel 4f1c               what was not sent stays a dead letter
            """,
        subcommands: [JobsList.self, JobsShow.self, JobsPause.self, JobsResume.self, JobsCancel.self],
        defaultSubcommand: JobsList.self)
}

/// `stockbridge dead-letters jobs list`.
struct JobsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The jobs, the newest first.")

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "How many.")
    var limit = 20

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit is from 1 to 1000.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let jobs = try await OperatorDatabase.with(configuration) { database in
            try await JobStore(database: database).list(limit: limit)
        }
        let text = JobText(
            wording: Wording(timeZone: configuration.timeZone), style: Console.style, now: OperatorClock.now)
        try global.print(["jobs": jobs], text: text.list(jobs))
    }
}

/// `stockbridge dead-letters jobs show`.
struct JobsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One job: its outcomes, and what failed again, by its sentence.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The job's id, or its first characters.")
    var job: String

    @Option(name: .long, help: ArgumentHelp("Follow it until it ends, at most so long.", valueName: "seconds"))
    var wait: Double = 0

    func validate() throws {
        guard wait >= 0 else { throw ValidationError("--wait takes a number of seconds, 0 or more.") }
    }

    func run() async throws {
        let configuration = try global.load()
        let prefix = try IDPrefix(job, of: "replay job")
        let detail = try await OperatorDatabase.with(configuration) { database in
            let store = JobStore(database: database)
            let id = try await store.find(prefix)
            let job = try await JobWatch(store: store).follow(id, seconds: wait)
            return ReplayJobDetail(job: job, failures: try await store.failures(of: id))
        }
        let text = JobText(
            wording: Wording(timeZone: configuration.timeZone), style: Console.style, now: OperatorClock.now)
        try global.print(detail, text: text.detail(detail))
        if detail.job.needsAttention || (wait > 0 && detail.job.isOpen) { throw ExitStatus.attention }
    }
}

/// What pause, resume and cancel take.
struct JobOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The job's id, or its first characters.")
    var job: String

    @Option(name: .long, help: "Why; kept in the audit.")
    var reason: String?

    func command(_ verb: Command.Verb) async throws {
        let configuration = try global.load()
        let prefix = try IDPrefix(job, of: "replay job")
        let result = try await OperatorDatabase.with(configuration) { database in
            let id = try await JobStore(database: database).find(prefix)
            return try await LetterDesk(configuration, database).submit(
                verb, ["job": .string(id.uuidString.lowercased())], reason: reason, waitSeconds: waiting.wait)
        }
        try result.finish(global)
    }
}

/// `stockbridge dead-letters jobs pause`.
struct JobsPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let a job rest; what is on the broker is still handled.")

    @OptionGroup var options: JobOptions

    func run() async throws { try await options.command(.replayPause) }
}

/// `stockbridge dead-letters jobs resume`.
struct JobsResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a job go on that rests or stopped by itself.")

    @OptionGroup var options: JobOptions

    func run() async throws { try await options.command(.replayResume) }
}

/// `stockbridge dead-letters jobs cancel`.
struct JobsCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a job; what it has not sent stays a dead letter.")

    @OptionGroup var options: JobOptions

    func run() async throws { try await options.command(.replayCancel) }
}
