import Synchronization

/// How often in a row each dependency has failed in a way that speaks for an outage, as one runner sees it.
final class OutageCount: Sendable {
    private let failures = Mutex<[Dependency: Int]>([:])

    /// Takes in an outcome and returns how often in a row its dependency has failed by now; 0 if it has not.
    func note(_ outcome: Outcome) -> Int {
        failures.withLock { failures in
            switch outcome {
            case .outage(let dependency, _):
                failures[dependency, default: 0] += 1
                return failures[dependency] ?? 0
            case .done, .superseded, .retry, .park:
                // Whatever became of the message: something answered.
                failures.removeAll()
            case .later, .defer:
                break
            }
            return 0
        }
    }

    /// The dependency answers again.
    func reset(_ dependency: Dependency) { failures.withLock { $0[dependency] = nil } }
}
