import Foundation
import ProcessStack
import TestStack
import Testing

/// A service that dies by SIGKILL when it reaches a named point for the n-th time.
struct NamedFault: Sendable, CustomTestStringConvertible {
    let service: String
    let point: String
    let times: Int

    /// The row of the table.
    var kind: String { "kill -9 of \(service) at \(point)" }
    var testDescription: String { "\(kind), time \(times)" }

    static let points = ["after-commit-before-ack", "after-http-before-commit", "after-publish-before-mark"]

    static func all(_ service: String, times: [Int]) -> [NamedFault] {
        points.flatMap { point in times.map { NamedFault(service: service, point: point, times: $0) } }
    }

    /// Replaces the service by one that dies, lets something happen, and puts a healthy one in its place.
    ///
    /// - Returns: How many faults that were: none where the point was not reached so many times.
    func inject(into round: FaultRound, _ happening: () async throws -> Void) async throws -> Int {
        let stack = round.stack
        try await stack.running(service).stop()
        let dying = try stack.startToDie(service, at: point, times: times)
        do {
            try await happening()
            try await stack.wait(for: "\(service) to die") {
                if !dying.isRunning { return true }
                // The first time is always reached; another may be more than this file brings about.
                return times == 1 ? false : try await round.isAtRest()
            }
        } catch {
            dying.kill()
            try await stack.start(service)
            throw error
        }
        let wasReached = !dying.isRunning
        if wasReached { #expect(dying.exitStatus == -SIGKILL, "it was killed at the point, and did not end otherwise") }
        dying.kill()
        if wasReached { try await round.countInFlight() }
        try await round.stack.letLeasesRunOut()
        try await stack.start(service)
        return wasReached ? 1 : 0
    }
}

@Suite("kill -9 of stock-ingestor and notifier at each named point", .serialized, FaultSystem(publishers: 1))
struct IngestorAndNotifierFaults {
    @Test(
        "Nothing of the file is lost or taken twice, and every shelf is right",
        arguments: NamedFault.all("stock-ingestor", times: [1]))
    func ingestor(fault: NamedFault) async throws {
        let (round, began) = (try FaultRound.begin(), ContinuousClock.now)
        let injected = try await fault.inject(into: round) { try await round.nextMorning() }
        try await round.check(fault.testDescription, kind: fault.kind, injected: injected, since: began)
    }

    @Test(
        "The mail about a held file arrives, under one Message-ID however often it was sent",
        arguments: NamedFault.all("notifier", times: [1]))
    func notifier(fault: NamedFault) async throws {
        let (round, began) = (try FaultRound.begin(), ContinuousClock.now)
        try await round.nextMorning()
        try await round.settle()
        let injected = try await fault.inject(into: round) { try await round.deliverHeld() }
        try await round.settle()
        try await round.rejectHeld()
        try await round.check(fault.testDescription, kind: fault.kind, injected: injected, since: began)
    }
}

@Suite("kill -9 of stock-publisher at each named point", .serialized, FaultSystem(publishers: 1))
struct PublisherFaults {
    @Test(
        "No shelf ends on an older level, none is written twice at once, and every one is right",
        arguments: NamedFault.all("stock-publisher", times: FaultSeeds.count == 1 ? [2] : [1, 2, 3, 4]))
    func publisher(fault: NamedFault) async throws {
        let (round, began) = (try FaultRound.begin(), ContinuousClock.now)
        let injected = try await fault.inject(into: round) { try await round.nextMorning() }
        try await round.check(fault.testDescription, kind: fault.kind, injected: injected, since: began)
    }
}

extension FaultRound {
    /// A file that will be held is delivered and asked for.
    func deliverHeld() async throws {
        let file = try await stack.brokenFile(of: morning)
        try stack.deliver(try Data(contentsOf: file), as: file.lastPathComponent)
        try await stack.stockbridge("run", "stock", "--wait", "90", expecting: [0, 3])
    }

    /// What is held is rejected, so that the next file has the same to compare with.
    func rejectHeld() async throws {
        for id in try await stack.texts("SELECT id::text FROM stock.snapshots WHERE state = 'held'") {
            try await stack.stockbridge("stock", "reject", id, "--reason", "made by a test", "--wait", "90")
        }
    }
}
