public import Messaging

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

/// Runs services beside the body; afterwards they have ended.
///
/// - Throws: What the body throws; ``TestStackProblem`` if a service ended by an error while the body ran, which
///   explains what the test then waited for in vain.
public func running<Result>(
    _ services: [@Sendable () async throws -> Void], _ body: () async throws -> Result
) async throws -> Result {
    let tasks = services.map { service in
        Task { () -> (any Error)? in
            // Once it is cancelled, every way to end is right.
            do { try await service() } catch { return Task.isCancelled ? nil : error }
            return nil
        }
    }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    for task in tasks { task.cancel() }
    var failures: [any Error] = []
    for task in tasks { if let failure = await task.value { failures.append(failure) } }
    guard let failure = failures.first else { return try outcome.get() }
    var problem = "A service ended while the test ran: \(failure)"
    if case .failure(let error) = outcome { problem += "\nThe test then ended with: \(error)" }
    throw TestStackProblem(problem)
}

/// Runs loops beside the body, and gives their signal to stop after it; afterwards they have ended.
///
/// - Throws: What the body throws.
public func running<Result>(
    _ loops: [@Sendable () async -> Void], until stop: StopSignal, _ body: () async throws -> Result
) async throws -> Result {
    let tasks = loops.map { loop in Task { await loop() } }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    stop.stop()
    for task in tasks { await task.value }
    return try outcome.get()
}
