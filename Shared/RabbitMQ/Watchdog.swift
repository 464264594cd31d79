internal import CRabbitMQ
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Ends library calls that hang.
///
/// Some calls of librabbitmq wait without a limit when the other side is gone or reads nothing. Shutting the socket
/// down from another thread makes them return with an error. The watchdog works on a duplicate of the descriptor, so
/// that it cannot hit a foreign socket after the library has closed its own.
final class Watchdog: Sendable {
    /// A duplicate of the library's socket; also what is polled.
    let descriptor: Int32
    private let deadline = Mutex<ContinuousClock.Instant?>(nil)
    // Unsafe only by declaration: sources of Dispatch may be used from any thread.
    private nonisolated(unsafe) let timer: any DispatchSourceTimer

    init(socket: Int32) {
        descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(200))
        timer.setEventHandler { [weak self] in self?.check() }
        timer.activate()
    }

    deinit {
        timer.cancel()
        if descriptor >= 0 { close(descriptor) }
    }

    /// Runs a call that may hang; after `limit` the socket is shut down, which makes it return.
    func guarding<R>(_ limit: Duration, _ body: () -> R) -> R {
        arm(limit)
        defer { disarm() }
        return body()
    }

    /// Starts the clock; to be followed by ``disarm()``. Not nested: the last call counts.
    func arm(_ limit: Duration) { deadline.withLock { $0 = .now + limit } }

    /// Stops the clock.
    func disarm() { deadline.withLock { $0 = nil } }

    private func check() {
        let overdue = deadline.withLock { deadline in deadline.map { $0 < .now } ?? false }
        if overdue { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}

/// Wakes the thread that waits on a connection, so that other work gets its turn.
final class Bell: Sendable {
    let descriptor: Int32 = crabbitmq_bell_new()
    private let waiting = Atomic<Int>(0)

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Asks whoever waits to let another job run; to be followed by ``answered()`` in that job.
    func ring() {
        waiting.add(1, ordering: .sequentiallyConsistent)
        wake()
    }

    /// Only ends the wait.
    func wake() { crabbitmq_bell_ring(descriptor) }

    func answered() { waiting.subtract(1, ordering: .sequentiallyConsistent) }

    /// Whether a job is on its way that wants the thread.
    var isRung: Bool { waiting.load(ordering: .sequentiallyConsistent) > 0 }
}
