import Concurrency
import Contracts
import DeadLetters
import Messaging
import ServiceKit

/// Takes the dead letters of all services out of the broker, one loop and one connection a service.
enum ArchiverLoop {
    static func loops(_ parts: ServiceParts) -> [@Sendable () async -> Void] {
        ServiceCatalogue.services(for: parts.configuration).map { service in
            let archiver = Archiver(
                service: service.name, broker: parts.runners.broker, pool: parts.database.pool, stop: parts.stop,
                logger: parts.logger, faults: parts.runners.faults, now: { parts.clock.now() })
            return { await archiver.run() }
        }
    }
}
