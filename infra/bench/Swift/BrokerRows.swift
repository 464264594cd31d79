import Messaging
import RabbitMQ

/// The wrapper over librabbitmq alone.
struct BrokerRows {
    let fixture: Fixture
    let count: Int

    init(count: Int) throws {
        fixture = try Fixture()
        self.count = count
    }

    /// 512 bytes, persistent, mandatory, confirmed, 1,000 in flight.
    func publish() async throws -> Measurement {
        let messages = fixture.plainMessages(count)
        let publisher = Publisher(fixture.broker, maximumInFlight: 1_000)
        let start = ContinuousClock.now
        let confirmed = try await publisher.publish(messages).count { $0 == .confirmed }
        let seconds = (ContinuousClock.now - start).inSeconds
        await publisher.close()
        guard confirmed == count else { throw BenchError.wrongCount(row: "publish", expected: count, found: confirmed) }
        return Measurement(seconds: seconds, count: confirmed)
    }

    /// Prefetch 500, taken and acknowledged by the hundred.
    func consume() async throws -> Measurement {
        let consumer = Consumer(fixture.broker, queue: Fixture.plain, prefetch: 500)
        let start = ContinuousClock.now
        var taken = 0
        while taken < count {
            let deliveries = try await consumer.next(atMost: 100, within: .seconds(10), linger: .milliseconds(2))
            if deliveries.isEmpty { break }
            try await consumer.ack(deliveries.map(\.tag))
            taken += deliveries.count
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        await consumer.close()
        guard taken == count else { throw BenchError.wrongCount(row: "consume", expected: count, found: taken) }
        return Measurement(seconds: seconds, count: taken)
    }

    /// Prefetch 500: each message is published to another queue with a confirm, and acknowledged after it.
    func pipeline() async throws -> Measurement {
        let consumer = Consumer(fixture.broker, queue: Fixture.plain, prefetch: 500)
        let publisher = Publisher(fixture.broker, maximumInFlight: 1_000)
        let (exchange, count) = (fixture.description.workExchange, count)
        let start = ContinuousClock.now
        // The prefetch bounds how many batches are on their way at once.
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            var taken = 0
            while taken < count {
                let deliveries = try await consumer.next(atMost: 100, within: .seconds(10), linger: .milliseconds(2))
                if deliveries.isEmpty { break }
                taken += deliveries.count
                group.addTask {
                    let copies = deliveries.map {
                        OutgoingMessage(exchange: exchange, routingKey: Fixture.outgoing, body: $0.body)
                    }
                    let confirmed = try await publisher.publish(copies).count { $0 == .confirmed }
                    guard confirmed == deliveries.count else { return 0 }
                    try await consumer.ack(deliveries.map(\.tag))
                    return confirmed
                }
            }
            return try await group.reduce(0, +)
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        await consumer.close()
        await publisher.close()
        guard done == count else { throw BenchError.wrongCount(row: "pipeline", expected: count, found: done) }
        return Measurement(seconds: seconds, count: done)
    }
}
