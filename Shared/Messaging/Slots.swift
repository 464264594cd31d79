import Synchronization

/// Bounds how many pieces of work run at once.
final class Slots: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    private let total: Int

    init(_ total: Int) {
        self.total = total
        state = Mutex(State(free: total))
    }

    var inUse: Int { state.withLock { total - $0.free } }

    func take() async {
        await withCheckedContinuation { continuation in
            let taken = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if taken { continuation.resume() }
        }
    }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
