internal import CCurl
import Foundation

/// The loop of a transfer thread: takes messages, lets libcurl work, hands results back.
final class TransferWorker {
    /// Handles kept for later transfers; each is a few kilobytes.
    private static let spareHandles = 32

    private struct Waiting {
        let job: TransferJob
        let continuation: TransferContinuation
    }

    private let multi: MultiHandle
    private let inbox: TransferEngine.Inbox
    private let maximumPerHost: Int
    private var waiting: [Waiting] = []
    private var running: [UnsafeMutableRawPointer: (transfer: ActiveTransfer, continuation: TransferContinuation)] = [:]
    private var runningPerHost: [String: Int] = [:]
    private var spare: [EasyHandle] = []
    /// The host key rule under which each server's connections were opened.
    private var trust: [String: HostKeyCheck] = [:]

    init(multi: MultiHandle, inbox: TransferEngine.Inbox, maximumPerHost: Int) {
        self.multi = multi
        self.inbox = inbox
        self.maximumPerHost = maximumPerHost
        // Idle connections beyond this are closed; the default of four per transfer would close too many.
        _ = ccurl_multi_set_long(multi.raw, CURLMOPT_MAXCONNECTS, max(64, maximumPerHost * 8))
    }

    func run() {
        Self.ignoreBrokenPipes()
        while true {
            let (messages, closed) = inbox.take()
            for message in messages { handle(message) }
            if closed { break }
            startWaiting()
            var active: Int32 = 0
            _ = curl_multi_perform(multi.raw, &active)
            // Finished transfers make room for others, which libcurl should see before the thread sleeps.
            if finishDone() && !waiting.isEmpty { continue }
            _ = curl_multi_poll(multi.raw, nil, 0, pollMilliseconds(), nil)
        }
        shutDown()
    }

    /// A write to a connection the server has closed must be an error of that transfer, not the end of the process.
    private static func ignoreBrokenPipes() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    private func handle(_ message: TransferEngine.Message) {
        switch message {
        case .start(let job, let continuation):
            if job.isCancelled {
                continuation.resume(returning: .failure(TransferFailure(reason: .cancelled)))
            } else {
                waiting.append(Waiting(job: job, continuation: continuation))
            }
        case .cancel(let job):
            cancel(job)
        }
    }

    private func cancel(_ job: TransferJob) {
        if let index = waiting.firstIndex(where: { $0.job === job }) {
            waiting.remove(at: index).continuation.resume(returning: .failure(TransferFailure(reason: .cancelled)))
        } else if let key = running.first(where: { $0.value.transfer.job === job })?.key {
            end(key) { .failure($0.failure(.cancelled)) }
        }
    }

    // MARK: Starting

    private func startWaiting() {
        guard !waiting.isEmpty else { return }
        var still: [Waiting] = []
        for entry in waiting {
            let remaining = entry.job.remaining
            if let remaining, remaining <= 0 {
                entry.continuation.resume(returning: .failure(TransferFailure(reason: .expired)))
            } else if runningPerHost[entry.job.place, default: 0] < maximumPerHost {
                start(entry, remaining)
            } else {
                still.append(entry)
            }
        }
        waiting = still
    }

    private func start(_ entry: Waiting, _ remaining: Double?) {
        guard let easy = spare.popLast() ?? EasyHandle() else {
            let failure = TransferFailure(reason: .libcurl, code: CURLE_OUT_OF_MEMORY)
            return entry.continuation.resume(returning: .failure(failure))
        }
        let transfer = ActiveTransfer(job: entry.job, easy: easy)
        var code = transfer.prepare(remaining: remaining)
        if code == CURLE_OK { code = separateTrust(transfer) }
        if code == CURLE_OK, curl_multi_add_handle(multi.raw, easy.raw) != CURLM_OK { code = CURLE_FAILED_INIT }
        guard code == CURLE_OK else {
            entry.continuation.resume(returning: .failure(transfer.failure(.libcurl, code)))
            return recycle(easy)
        }
        running[easy.raw] = (transfer, entry.continuation)
        runningPerHost[entry.job.place, default: 0] += 1
    }

    /// libcurl compares host keys when it connects, not when it reuses a connection. A transfer that trusts another key
    /// than the pooled connections of that server therefore gets one of its own.
    private func separateTrust(_ transfer: ActiveTransfer) -> CURLcode {
        guard let rule = transfer.plan.hostKey else { return CURLE_OK }
        let place = transfer.job.place
        guard let first = trust[place] else {
            trust[place] = rule
            return CURLE_OK
        }
        if first == rule { return CURLE_OK }
        let code = ccurl_set_long(transfer.easy.raw, CURLOPT_FRESH_CONNECT, 1)
        return code == CURLE_OK ? ccurl_set_long(transfer.easy.raw, CURLOPT_FORBID_REUSE, 1) : code
    }

    // MARK: Ending

    /// Hands back what libcurl has finished; false if that was nothing.
    private func finishDone() -> Bool {
        var any = false
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi.raw, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = message.pointee.data.result
            any = true
            end(easy) { $0.outcome(code) }
        }
        return any
    }

    private func end(
        _ key: UnsafeMutableRawPointer, _ result: (ActiveTransfer) -> Result<TransferAnswer, TransferFailure>
    ) {
        guard let (transfer, continuation) = running.removeValue(forKey: key) else { return }
        let place = transfer.job.place
        runningPerHost[place] = runningPerHost[place].flatMap { $0 > 1 ? $0 - 1 : nil }
        let outcome = result(transfer)
        _ = curl_multi_remove_handle(multi.raw, key)
        recycle(transfer.easy)
        continuation.resume(returning: outcome)
    }

    private func recycle(_ easy: EasyHandle) {
        easy.reset()
        if spare.count < Self.spareHandles { spare.append(easy) }
    }

    /// How long the thread may sleep if nothing happens.
    ///
    /// libcurl 7.88 misses the moment at which a data connection of FTP is there, and its own loop hides that by
    /// looking every second. So does this one, and more often where FTP runs.
    private func pollMilliseconds() -> Int32 {
        let hasFTP = running.values.contains { $0.transfer.plan.kind == .ftp }
        let look = running.isEmpty ? 60 : hasFTP ? 0.05 : 1
        // Transfers in libcurl have timers of their own; only those waiting for a turn are watched here.
        let next = waiting.compactMap(\.job.remaining).min() ?? look
        return Int32(max(0, min(next, look)) * 1000) + 1
    }

    private func shutDown() {
        for entry in waiting { entry.continuation.resume(returning: .failure(TransferFailure(reason: .closed))) }
        waiting = []
        for key in Array(running.keys) { end(key) { .failure($0.failure(.closed)) } }
        spare = []
        inbox.detach()
        multi.free()
    }
}
