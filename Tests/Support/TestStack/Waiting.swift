/// Waits until a condition holds; false if it did not within the time.
///
/// - Parameters:
///   - within: generous, since two cores may be shared with a compiler.
///   - every: between two looks.
public func eventually(
    within: Duration = .seconds(60), every: Duration = .milliseconds(25), _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + within
    while try await !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try await Task.sleep(for: every)
    }
    return true
}

/// Bounds how many scratch systems exist at once: tests run all at the same time, servers and cores are few.
actor Gate {
    static let systems = Gate(4)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ free: Int) { self.free = free }

    func enter() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
