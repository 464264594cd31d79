internal import CCurl
import Foundation
import Synchronization

/// One transfer as the calling task sees it.
final class TransferJob: Sendable {
    let plan: TransferPlan
    /// The server, for whatever is counted or remembered per server.
    let place: String
    /// When it was handed in; its time-out runs from here.
    let submitted = ContinuousClock.now
    private let cancelled = Atomic(false)

    init(plan: TransferPlan) {
        self.plan = plan
        place = "\(plan.host):\(plan.port)"
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    func markCancelled() { cancelled.store(true, ordering: .releasing) }

    /// Seconds left of the time-out; `nil` if there is none.
    var remaining: Double? {
        plan.timeoutSeconds.map { $0 - (ContinuousClock.now - submitted) / .seconds(1) }
    }
}

/// How a finished transfer gets back to its task.
typealias TransferContinuation = CheckedContinuation<Result<TransferAnswer, TransferFailure>, Never>

/// Owns one libcurl multi handle and the one thread that uses it.
///
/// libcurl handles must not be shared between threads, so tasks only leave messages here and wake the thread up; the
/// thread does all the work and resumes the tasks.
final class TransferEngine: Sendable {
    enum Message {
        case start(TransferJob, TransferContinuation)
        case cancel(TransferJob)
    }

    /// Where tasks leave messages for the thread.
    final class Inbox: Sendable {
        private struct State {
            var messages: [Message] = []
            var closed = false
            /// The thread has freed everything and touches the libraries no more.
            var gone = false
            /// `nil` once the thread has gone.
            var multi: MultiHandle?
        }

        private let state: Mutex<State>

        init(_ multi: MultiHandle) { state = Mutex(State(multi: multi)) }

        /// False if the engine is closed.
        func post(_ message: Message) -> Bool {
            state.withLock { state in
                if state.closed { return false }
                state.messages.append(message)
                // One wake-up is enough for all that is taken together.
                if state.messages.count == 1 { state.multi?.wake() }
                return true
            }
        }

        func close() {
            state.withLock { state in
                state.closed = true
                state.multi?.wake()
            }
        }

        func take() -> (messages: [Message], closed: Bool) {
            state.withLock { state in
                defer { state.messages.removeAll() }
                return (state.messages, state.closed)
            }
        }

        func markGone() { state.withLock { $0.gone = true } }

        var isGone: Bool { state.withLock { $0.gone } }

        /// From here on nobody wakes the handle any more, so that it can be freed.
        func detach() { state.withLock { $0.multi = nil } }
    }

    private let inbox: Inbox

    init(name: String, options: TransferOptions) {
        MultiHandle.startLibrary()
        let multi = MultiHandle()
        let inbox = Inbox(multi)
        self.inbox = inbox
        let thread = Thread {
            TransferWorker(multi: multi, inbox: inbox, maximumPerHost: options.maxConnectionsPerHost).run()
            inbox.markGone()
        }
        thread.name = name
        thread.start()
    }

    deinit { close() }

    func close() { inbox.close() }

    /// Whether the thread is done with its handles.
    var isGone: Bool { inbox.isGone }

    /// Runs the plan; cancelling the task ends the transfer.
    func run(_ plan: TransferPlan) async -> Result<TransferAnswer, TransferFailure> {
        let job = TransferJob(plan: plan)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if !inbox.post(.start(job, continuation)) {
                    continuation.resume(returning: .failure(TransferFailure(reason: .closed)))
                }
            }
        } onCancel: {
            // The mark is for a thread that has not seen the job yet, the message for one that has.
            job.markCancelled()
            _ = inbox.post(.cancel(job))
        }
    }
}

/// A libcurl multi handle.
///
/// Unchecked because a pointer is not Sendable; it holds since only ``wake()`` is called from other threads, which
/// libcurl allows, and the inbox sees to it that none of those calls comes after ``free()``.
struct MultiHandle: @unchecked Sendable {
    let raw: UnsafeMutableRawPointer?

    private static let library: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// Prepares libcurl, once per process.
    static func startLibrary() { _ = library }

    init() {
        raw = curl_multi_init()
    }

    func wake() { _ = curl_multi_wakeup(raw) }
    func free() { _ = curl_multi_cleanup(raw) }
}
