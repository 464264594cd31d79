/// Lets a few in at a time: tests run all at the same time, servers and cores are few. Test equipment.
public actor Turnstile {
    private var free: Int
    private var waiting: [(number: Int, turn: CheckedContinuation<Void, any Error>)] = []
    private var last = 0

    /// As many places as may be taken at once.
    public init(_ places: Int) { free = places }

    /// Waits for a place, in the order of coming; ``leave()`` gives it back.
    ///
    /// - Throws: `CancellationError` if the task is cancelled before its turn: it has no place then.
    public func enter() async throws {
        try Task.checkCancellation()
        if free > 0 {
            free -= 1
            return
        }
        last += 1
        let number = last
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiting.append((number, $0)) }
        } onCancel: {
            // Runs once this actor waits, hence after the line above.
            Task { await self.giveUp(number) }
        }
    }

    /// Gives a place to whoever waits longest.
    public func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().turn.resume() }
    }

    private func giveUp(_ number: Int) {
        guard let place = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: place).turn.resume(throwing: CancellationError())
    }
}
