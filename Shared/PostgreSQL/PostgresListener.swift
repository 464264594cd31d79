internal import Concurrency
import Foundation
import Synchronization

/// What a listener heard.
public enum PostgresNotification: Sendable, Equatable {
    /// Somebody ran `NOTIFY channel, 'payload'`, and the transaction committed.
    case received(channel: String, payload: String)
    /// Listening began only now, at the start or after a loss of the connection: notifications sent before were not
    /// heard. Look for what they would have announced.
    case mayHaveMissed
}

/// Waits for notifications on a connection and a thread of its own.
///
/// Connects by itself, and again with growing delays after a loss. A notification is a hint: it saves the wait for the
/// next regular look, it does not replace it.
public actor PostgresListener {
    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let backoff: Backoff
    private let executor: DedicatedThreadExecutor
    private nonisolated let bell: Bell
    private nonisolated let isClosing = Atomic(false)
    private var session: Session?
    private var failures = 0
    private var nextAttempt = ContinuousClock.now

    /// Why there is no connection at this moment; nil while there is one or none was tried.
    public private(set) var lastFailure: PostgresError?

    /// The listener's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Connects to nothing yet.
    ///
    /// - Parameters:
    ///   - channels: Names as given to NOTIFY, quoted here: `NOTIFY Outbox` without quotes is heard as `outbox`.
    ///   - longestDelay: The longest time between two attempts to connect.
    public init(_ configuration: PostgresConfiguration, channels: [String], longestDelay: Duration = .seconds(30)) {
        self.configuration = configuration
        self.channels = channels
        backoff = Backoff(first: min(.milliseconds(250), longestDelay), ceiling: longestDelay)
        bell = Bell()
        executor = DedicatedThreadExecutor(name: "postgres-listen")
    }

    // As in PostgresConnection: not isolated, because release builds of other modules fail with it.
    deinit { executor.close() }

    /// Waits until something is heard, at most `limit`.
    ///
    /// An unreachable server is no error, for the caller looks by itself when the time is up; see ``lastFailure``. An
    /// attempt to connect may outlast `limit` by the configured time for connecting.
    ///
    /// - Returns: What was heard, in order; empty if the time passed.
    /// - Throws: `cancelled` when the task is cancelled, without delay; `poolClosed` after ``close()``.
    public func next(within limit: Duration) async throws(PostgresError) -> [PostgresNotification] {
        let heard: Result<[PostgresNotification], PostgresError> = await withTaskCancellationHandler {
            do throws(PostgresError) {
                return .success(try wait(until: .now + limit))
            } catch {
                return .failure(error)
            }
        } onCancel: {
            bell.ring()
        }
        return try heard.get()
    }

    /// Disconnects; a wait under way ends with `poolClosed`.
    public nonisolated func close() async {
        isClosing.store(true, ordering: .sequentiallyConsistent)
        bell.ring()
        await disconnect()
    }

    private func disconnect() { session = nil }

    private func wait(until deadline: ContinuousClock.Instant) throws(PostgresError) -> [PostgresNotification] {
        while true {
            if isClosing.load(ordering: .sequentiallyConsistent) { throw .poolClosed }
            if Task.isCancelled { throw .cancelled }
            if let session {
                let heard = session.takeNotifications()
                if !heard.isEmpty { return heard }
                if !session.isStillConnected() { lose(session) }
            } else if nextAttempt <= .now {
                if connect() { return [.mayHaveMissed] }
            }
            if deadline <= .now { return [] }
            rest(until: deadline)
        }
    }

    /// Sleeps until there may be something to do.
    private func rest(until deadline: ContinuousClock.Instant) {
        if let session {
            _ = SocketWait.wait(for: [.readable(bell.descriptor), .readable(session.socket)], until: deadline)
        } else {
            _ = SocketWait.wait(for: [.readable(bell.descriptor)], until: min(deadline, nextAttempt))
        }
        bell.silence()
    }

    private func connect() -> Bool {
        do throws(PostgresError) {
            let session = try Session(connecting: configuration)
            try session.script(channels.map { "LISTEN \(quotedIdentifier($0));" }.joined())
            self.session = session
            failures = 0
            lastFailure = nil
            return true
        } catch {
            failures += 1
            lastFailure = error
            nextAttempt = .now + backoff.delay(afterFailures: failures)
            return false
        }
    }

    private func lose(_ session: Session) {
        lastFailure = session.lost()
        self.session = nil
        nextAttempt = .now
    }
}

/// Wakes a thread that waits in `poll`.
private final class Bell: Sendable {
    /// Readable after a ring.
    let descriptor: Int32
    private let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        // Out of descriptors: `poll` ignores -1, so only the wake-up before time is lost.
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
        }
        (descriptor, writing) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    func ring() {
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    func silence() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(descriptor, &bytes, 16) > 0 {}
    }
}
