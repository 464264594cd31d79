import Dispatch
import Foundation
import Synchronization

/// Runs one actor's jobs, in order, on one thread that nothing else shares.
///
/// Blocking C libraries (librabbitmq, libpq) forbid sharing a handle between threads and block inside their calls.
/// An actor that owns such a handle uses this executor, so that neither rule can be broken and none of the few threads
/// of the cooperative pool is ever blocked.
///
/// - Important: Call ``close()`` when the actor goes away (from its `deinit`), or the thread stays.
public final class DedicatedThreadExecutor: SerialExecutor {
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var closed = false
    }

    private let inbox = Mutex(Inbox())
    private let wake = DispatchSemaphore(value: 0)

    /// Starts the thread.
    ///
    /// - Parameter name: Shown by debuggers and `ps -L`; Linux keeps the first 15 bytes.
    public init(name: String) {
        let thread = Thread { [self] in drain() }
        thread.name = name
        thread.start()
    }

    /// Appends a job; it runs after those that are already waiting.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        inbox.withLock { $0.jobs.append(job) }
        wake.signal()
    }

    /// Ends the thread once everything that is waiting has run.
    public func close() {
        inbox.withLock { $0.closed = true }
        wake.signal()
    }

    private func drain() {
        while true {
            wake.wait()
            let (jobs, closed) = inbox.withLock { inbox in
                defer { inbox.jobs.removeAll(keepingCapacity: true) }
                return (inbox.jobs, inbox.closed)
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            if closed && jobs.isEmpty { return }
        }
    }
}
