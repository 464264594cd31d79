public import Foundation
import Synchronization

/// A process of ours, with its output in files. Test equipment, and the only way in which tests start processes.
///
/// Foundation's `Process` passes on blocked signals, with which a service could not be told to stop, and the open ends
/// of other children's pipes: a child that should end with its input then never hears of the end. Waiting for that
/// with a thread of the tests' pool has stopped whole runs for good. Hence `posix_spawn` with every signal as it is by
/// default, no descriptor of ours in a child, and waiting that holds no thread.
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
    private let lifeline: Lifeline?
    private let removesLog: Bool

    /// Starts it.
    ///
    /// - Parameters:
    ///   - executable: The path.
    ///   - environment: This process's own unless said otherwise.
    ///   - log: Path of the log without its extension: `.out` and `.err` are added, and appended to. Without one the
    ///     output is kept for as long as this object.
    ///   - endsWithInput: It has an input that stays open until ``endInput()`` or until this process is gone, however
    ///     that happens; it ends by itself then. Otherwise it has no input.
    public init(
        name: String, executable: String, arguments: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment, log: String? = nil,
        endsWithInput: Bool = false
    ) throws {
        self.name = name
        let temporary = FileManager.default.temporaryDirectory.appending(path: "child-\(UUID().uuidString)").path()
        removesLog = log == nil
        outputFile = (log ?? temporary) + ".out"
        errorFile = (log ?? temporary) + ".err"
        lifeline = endsWithInput ? try Lifeline() : nil
        pid = try Self.spawn(executable, arguments, environment, lifeline?.childEnd, outputFile, errorFile)
        lifeline?.closeChildEnd()
        if lifeline == nil { LiveChildren.shared.add(pid) }
    }

    deinit {
        if lifeline == nil { kill() } else { endInput() }
        if removesLog { for file in [outputFile, errorFile] { try? FileManager.default.removeItem(atPath: file) } }
    }

    /// Runs a program to its end.
    ///
    /// - Parameter command: The program's path and its arguments.
    /// - Returns: What it wrote to standard output.
    /// - Throws: ``TestStackProblem`` with the end of what it wrote to standard error, unless it ends with 0 in time.
    @discardableResult
    public static func run(
        _ command: [String], environment: [String: String] = ProcessInfo.processInfo.environment,
        within limit: Duration = .seconds(60)
    ) async throws -> String {
        let child = try ChildProcess(
            name: command[0], executable: command[0], arguments: Array(command.dropFirst()), environment: environment)
        let status = try await child.waitForExit(within: limit)
        guard status == 0 else {
            let call = command.joined(separator: " ")
            throw TestStackProblem("'\(call)' ended with \(status):\n\(child.output)\n\(child.tail())")
        }
        return child.output
    }

    /// Ends the input of a process that was started with one.
    public func endInput() { lifeline?.end() }

    /// What it says about itself on its first line, once it has said it.
    ///
    /// - Throws: ``TestStackProblem`` with the end of its log if it ends or the time is over before.
    public func firstLine(within limit: Duration = .seconds(60)) async throws -> String {
        _ = try await eventually(within: limit) { output.contains("\n") || !isRunning }
        guard let end = output.firstIndex(of: "\n") else {
            throw TestStackProblem("\(name) has not said that it is ready:\n\(tail())")
        }
        return String(output[..<end])
    }

    /// How it ended, once it has: its exit code, or the negative number of the signal that killed it.
    public var exitStatus: Int32? {
        ended.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            let reaped = waitpid(pid, &status, WNOHANG)
            // Somebody else was told how it ended, which is nobody's business but must not be waited for.
            let isUnknown = reaped == -1 && errno == ECHILD
            guard reaped == pid || isUnknown else { return nil }
            if isUnknown { status = SIGKILL }
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
    /// - Throws: ``TestStackProblem`` with the end of its log if it does not.
    @discardableResult
    public func waitForExit(within limit: Duration = .seconds(60)) async throws -> Int32 {
        let deadline = ContinuousClock.now + limit
        while true {
            if let status = exitStatus { return status }
            guard ContinuousClock.now < deadline else {
                throw TestStackProblem("\(name) has not ended within \(limit). Its log ends with:\n\(tail())")
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

    /// Leaves a child no descriptor from the given one on, whatever is open in this process at that moment. In glibc
    /// from 2.34 on; its Swift module does not show it.
    private static var closeFrom: (@convention(c) (UnsafeMutableRawPointer, Int32) -> Int32)? {
        dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
            unsafeBitCast($0, to: (@convention(c) (UnsafeMutableRawPointer, Int32) -> Int32).self)
        }
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String: String], _ input: Int32?,
        _ output: String, _ errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard let closeFrom = Self.closeFrom, closeFrom(&actions, 3) == 0 else {
            throw TestStackProblem("\(executable) was not started: this glibc is older than 2.34.")
        }
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
            throw TestStackProblem("\(executable) could not be started: \(String(cString: strerror(code))).")
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

/// An input that lasts as long as this process or until it is ended. A pair of sockets, since these can be made so that
/// no other child ever inherits them.
private final class Lifeline: Sendable {
    let childEnd: Int32
    private let ownEnd: Mutex<Int32?>

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw TestStackProblem("There is no pair of sockets: \(String(cString: strerror(errno))).")
        }
        childEnd = ends[1]
        ownEnd = Mutex(ends[0])
    }

    func closeChildEnd() { close(childEnd) }

    func end() {
        ownEnd.withLock { end in
            if let end { close(end) }
            end = nil
        }
    }
}
