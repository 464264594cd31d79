import RabbitMQ
import Testing

/// Nobody can publish to the broker meanwhile, so nothing else may run beside it.
@Suite(.timeLimit(.minutes(20)))
struct MemoryAlarmAloneTests {
    private let quick = Publisher.Limits(
        confirmTimeoutSeconds: 5, blockedWaitSeconds: 0.5, firstReconnectDelaySeconds: 0.05,
        longestReconnectDelaySeconds: 0.2)

    @Test func `a memory alarm blocks publishing without hanging it, and it goes on afterwards`() async throws {
        try await ScratchBroker.with { scratch in
            try await scratch.declare("q")
            let publisher = Publisher(scratch.configuration(), limits: quick)
            #expect(try await publisher.publish([.to("q")]) == [.confirmed])
            #expect(await !publisher.isBlocked)
            try await ScratchBroker.control("set_vm_memory_high_watermark", "0.0001")
            let during: Result<[PublishOutcome], any Error>
            do {
                // The first publish after the alarm may still get through; it makes the broker say so.
                _ = try await publisher.publish([.to("q")])
                _ = try await eventually { await publisher.isBlocked }
                let start = ContinuousClock.now
                defer { #expect(start.duration(to: .now) < .seconds(4)) }
                during = .success(try await publisher.publish([.to("q"), .to("q")]))
            } catch {
                during = .failure(error)
            }
            let wasBlocked = await publisher.isBlocked
            // In a task of its own: a test that ran out of time is cancelled, and the alarm must not stay.
            try await Task { try await ScratchBroker.control("set_vm_memory_high_watermark", "0.4") }.value
            #expect(wasBlocked)
            #expect(throws: BrokerError.blocked) { try during.get() }
            #expect(try await eventually { await !publisher.isBlocked })
            #expect(try await publisher.publish([.to("q")]) == [.confirmed])
            await publisher.close()
        }
    }
}
