import Foundation
import Synchronization

/// A process of ours, with its output in files. Test equipment.
///
/// Foundation's `Process` passes on blocked signals, with which a service could not be told to stop; hence
/// `posix_spawn` with every signal as it is by default.
public final class ChildProcess: Sendable {
    /// What it is called in messages.
    public let name: String
    /// Its id.
    public let pid: Int32
    /// The file with what it wrote to standard error.
    public let errorFile: String
    /// The file with what it wrote to standard output.
    public let outputFile: String

    private let ended = Mutex<Int32?>(nil)

    /// Starts it.
    ///
    /// - Parameters:
    ///   - executable: The path.
    ///   - log: Path of the log without its extension: `.out` and `.err` are added, and appended to.
    public init(
        name: String, executable: String, arguments: [String], environment: [String: String], log: String
    ) throws {
        self.name = name
        outputFile = log + ".out"
        errorFile = log + ".err"
        pid = try Self.spawn(executable, arguments, environment, outputFile, errorFile)
        LiveChildren.shared.add(pid)
    }

    deinit { kill() }

    /// How it ended, once it has: its exit code, or the negative number of the signal that killed it.
    public var exitStatus: Int32? {
        ended.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            LiveChildren.shared.remove(pid)
            let signal = status & 0x7f
            known = signal == 0 ? (status >> 8) & 0xff : -signal
            return known
        }
    }

    /// Whether it has not ended.
    public var isRunning: Bool { exitStatus == nil }

    /// Sends it a signal, if it is still there.
    public func signal(_ number: Int32) {
        if isRunning { Foundation.kill(pid, number) }
    }

    /// Ends it as a power cut would, and waits until it is gone.
    public func kill() {
        while isRunning {
            Foundation.kill(pid, SIGKILL)
            usleep(1_000)
        }
    }

    /// Waits until it has ended.
    ///
    /// - Throws: ``ProcessStackProblem`` with the end of its log if it does not.
    @discardableResult
    public func waitForExit(within limit: Duration = .seconds(60)) async throws -> Int32 {
        let deadline = ContinuousClock.now + limit
        while true {
            if let status = exitStatus { return status }
            guard ContinuousClock.now < deadline else {
                throw ProcessStackProblem("\(name) has not ended within \(limit). Its log ends with:\n\(tail())")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Asks it to stop and waits until it has; its exit status.
    @discardableResult
    public func stop(within limit: Duration = .seconds(40)) async throws -> Int32 {
        signal(SIGTERM)
        return try await waitForExit(within: limit)
    }

    /// What it wrote to standard output.
    public var output: String { Self.text(outputFile) }

    /// What it wrote to standard error.
    public var errors: String { Self.text(errorFile) }

    /// The last lines of its log, for messages.
    public func tail(_ lines: Int = 12) -> String {
        errors.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String: String], _ output: String,
        _ errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, executable, &actions, &attributes, words, variables)
        guard code == 0 else {
            throw ProcessStackProblem("\(executable) could not be started: \(String(cString: strerror(code))).")
        }
        return pid
    }
}

/// What was started and has not ended; killed when this process exits, however its tests went.
private final class LiveChildren: Sendable {
    static let shared = LiveChildren()

    private let pids = Mutex<Set<pid_t>>([])

    private init() {
        atexit { for pid in LiveChildren.shared.pids.withLock({ $0 }) { Foundation.kill(pid, SIGKILL) } }
    }

    func add(_ pid: pid_t) { _ = pids.withLock { $0.insert(pid) } }

    func remove(_ pid: pid_t) { _ = pids.withLock { $0.remove(pid) } }
}

/// What keeps a test of the whole system from running, as a sentence.
public struct ProcessStackProblem: Error, CustomStringConvertible {
    /// What went wrong.
    public let description: String

    /// Takes the sentence.
    public init(_ description: String) { self.description = description }
}
