import Concurrency
import Contracts
import Foundation
import Logging
import RabbitMQ

/// Publishes the copies that retries and dead letters are made of. The original is acknowledged only afterwards.
struct Settler: Sendable {
    let service: ServiceDescription
    let publisher: Publisher
    let stop: StopSignal
    let logger: Logger
    let now: @Sendable () -> Date
    var jitter = RetryPolicy.standardJitter

    /// Carries out one settlement. False: the copy could not be confirmed before the service had to stop, so the
    /// message has to be given back.
    func carryOut(_ settlement: Settlement, of delivery: Delivery, queue: String) async -> Bool {
        switch settlement {
        case .acknowledge:
            return true
        case .delay(let tier, let attempt):
            return await publish(retry(of: delivery, queue: queue, tier: tier, attempt: attempt))
        case .pause(_, let tier):
            let attempt = EnvelopeHeaders(delivery.properties.headers).integer(HeaderName.attempt) ?? 1
            return await publish(retry(of: delivery, queue: queue, tier: tier, attempt: attempt))
        case .deadLetter(let reason):
            logger.error(
                "message dead-lettered",
                metadata: [
                    "queue": "\(queue)", "message": "\(delivery.properties.messageID ?? "without id")",
                    "code": "\(reason.code)", "reason": "\(reason.message)",
                ])
            return await publish(dead(of: delivery, queue: queue, reason: reason))
        }
    }

    func retry(of delivery: Delivery, queue: String, tier: RetryTier, attempt: Int) -> OutgoingMessage {
        var message = copy(of: delivery, queue: queue, to: service.retryExchange(tier))
        message.properties.headers[HeaderName.attempt] = .integer(Int64(attempt))
        // Jitter downwards only: the queue's own time to live is the upper bound.
        let milliseconds = Double(tier.delayMilliseconds) * .random(in: (1 - jitter)...1)
        message.properties.expirationMilliseconds = max(1, Int(milliseconds))
        return message
    }

    func dead(of delivery: Delivery, queue: String, reason: FailureReason) -> OutgoingMessage {
        var message = copy(of: delivery, queue: queue, to: service.deadExchange)
        message.properties.headers[HeaderName.failedAt] = .string(EventTime.text(now()))
        message.properties.headers[HeaderName.errorClass] = .string(reason.failureClass.rawValue)
        message.properties.headers[HeaderName.errorCode] = .string(reason.code)
        message.properties.headers[HeaderName.errorMessage] = .string(reason.message)
        let type = EnvelopeHeaders(delivery.properties.headers).attribute(HeaderName.type) ?? "unknown"
        message.properties.headers[HeaderName.fingerprint] = .string("\(queue)|\(type)|\(reason.code)")
        return message
    }

    /// The same message, under the same id, on its way to another exchange of this service.
    private func copy(of delivery: Delivery, queue: String, to exchange: String) -> OutgoingMessage {
        var properties = delivery.properties.withoutBrokerHeaders
        properties.expirationMilliseconds = nil
        properties.persistent = true
        func keep(_ name: String, _ value: HeaderValue) {
            if properties.headers[name] == nil { properties.headers[name] = value }
        }
        keep(HeaderName.firstFailedAt, .string(EventTime.text(now())))
        keep(HeaderName.originExchange, .string(delivery.exchange))
        keep(HeaderName.originKey, .string(delivery.routingKey))
        properties.headers[HeaderName.service] = .string(service.name.rawValue)
        properties.headers[HeaderName.host] = .string(ProcessInfo.processInfo.hostName)
        return OutgoingMessage(
            exchange: exchange, routingKey: queue, mandatory: true, properties: properties, body: delivery.body)
    }

    private func publish(_ message: OutgoingMessage) async -> Bool {
        let backoff = Backoff(first: .milliseconds(200), ceiling: .seconds(10))
        var failures = 0
        while true {
            let problem: String
            do {
                let outcomes = try await publisher.publish([message])
                if case .confirmed? = outcomes.first { return true }
                problem = "\(outcomes)"
            } catch {
                problem = "\(error)"
            }
            failures += 1
            logger.warning(
                "copy not confirmed, trying again",
                metadata: ["exchange": "\(message.exchange)", "problem": "\(problem)"])
            if stop.isStopping { return false }
            await stop.sleep(for: backoff.delay(afterFailures: failures))
        }
    }
}
