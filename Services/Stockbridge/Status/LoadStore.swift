import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import ServiceKit
import Settings

/// Asks the broker what lies in the queues, under the operator's own user: no administrator is needed for that.
struct QueueLook: Sendable {
    /// What lies ready and who listens, by queue; or why nobody knows.
    struct Answer: Sendable {
        var queues: [String: TopologySession.QueueCounts] = [:]
        var problem: String?
    }

    private let configuration: StockbridgeConfiguration

    init(_ configuration: StockbridgeConfiguration) { self.configuration = configuration }

    /// A status is worth having without the broker too: it never throws.
    func waiting() async -> Answer {
        do {
            var server = try configuration.brokerConfiguration(for: .stockbridge, purpose: "status")
            server.connectTimeoutSeconds = 3
            let session = TopologySession(server)
            let answer = await look(session)
            await session.close()
            return answer
        } catch {
            return Answer(problem: "\(error)")
        }
    }

    private func look(_ session: TopologySession) async -> Answer {
        var answer = Answer()
        for service in ServiceCatalogue.services(for: configuration) {
            for queue in service.queues.map(\.name) + service.tiers.map(service.retryExchange) {
                do throws(BrokerError) {
                    answer.queues[queue] = try await session.checkQueue(queue)
                } catch .refused(404, _, _) {
                    // Nobody has declared it yet, so nothing waits in it.
                    continue
                } catch {
                    return Answer(problem: "\(error)")
                }
            }
        }
        return answer
    }
}

/// Puts together what waits for each service from the broker's queues, the inboxes and the rate limiters.
struct LoadStore: Sendable {
    /// A pause of a second or two is how a platform paces us; a longer one is as if it were out.
    static let longPauseSeconds: Double = 5

    private let configuration: StockbridgeConfiguration

    init(_ configuration: StockbridgeConfiguration) { self.configuration = configuration }

    /// Adds the services to a status that has its replicas and outboxes already.
    func add(to status: inout StatusReport, _ answer: QueueLook.Answer, _ transaction: Transaction) throws {
        let paces = try paces(status.breakers, transaction)
        let shops = Self.shopsByQueue(configuration)
        status.brokerProblem = answer.problem
        for service in ServiceCatalogue.services(for: configuration) where service.name != .stockbridge {
            let name = service.name.rawValue
            let recent = try Self.recent(service.name, transaction)
            var load = ServiceLoad(
                service: name, replicas: status.replicas.filter { $0.service == name && $0.alive }.count)
            load.queues = service.queues.map { queue in
                let counts = answer.queues[queue.name]
                return ServiceLoad.Queue(
                    queue.name, ready: counts?.messages ?? 0, consumers: counts?.consumers ?? 0,
                    perSecond: recent.perSecond[queue.name] ?? 0, shop: shops[queue.name])
            }
            load.inHand = recent.inHand
            load.retrying = service.tiers.compactMap { answer.queues[service.retryExchange($0)]?.messages }.reduce(0, +)
            load.outbox = status.outboxes.first { $0.service == name }?.waiting ?? 0
            status.services.append(StatusReport.Service(load, paces, isKnown: answer.problem == nil))
        }
    }

    private struct Recent {
        var perSecond: [String: Double] = [:]
        var inHand = 0
    }

    /// How many messages each consumer has begun a second within the last minute, and how many are being worked on. A
    /// span of less than five seconds would make a flood of a single message.
    private static func recent(_ service: ServiceName, _ transaction: Transaction) throws -> Recent {
        let rows = try transaction.query(
            """
            SELECT consumer, count(*) FILTER (WHERE age <= 60) AS begun,
                greatest(5, coalesce(max(age) FILTER (WHERE age <= 60), 60)) AS span,
                count(*) FILTER (WHERE is_leased) AS in_hand
            FROM (SELECT consumer, extract(epoch FROM clock_timestamp() - received_at)::float8 AS age,
                      NOT done AND lease_until > clock_timestamp() AS is_leased
                  FROM \(service.schema).inbox WHERE received_at > now() - interval '5 minutes') AS i
            GROUP BY consumer
            """)
        var recent = Recent()
        for row in rows {
            let (begun, span): (Int, Double) = (try row.decode("begun"), try row.decode("span"))
            recent.perSecond[try row.decode("consumer")] = Double(begun) / span
            recent.inHand += try row.decode("in_hand", as: Int.self)
        }
        return recent
    }

    private func paces(
        _ breakers: [StatusReport.Breaker], _ transaction: Transaction
    ) throws -> [ServiceLoad.Pace] {
        var used: [String: (calls: Double, blocked: Double)] = [:]
        for row in try transaction.query(
            "SELECT account, calls_per_second, blocked_seconds FROM shared.limiter_states()")
        {
            used[try row.decode("account")] = (
                try row.decode("calls_per_second"), try row.decode("blocked_seconds")
            )
        }
        return configuration.shops.map { shop in
            let account = "shop \(shop.name.rawValue)"
            let isOut = breakers.contains { $0.account == account && $0.openedAt != nil }
            return ServiceLoad.Pace(
                shop: shop.name.rawValue, limit: shop.limits.requestsPerSecond, used: used[account]?.calls ?? 0,
                isOut: isOut || used[account]?.blocked ?? 0 > Self.longPauseSeconds)
        }
    }

    /// Which shop the messages of a queue call.
    private static func shopsByQueue(_ configuration: StockbridgeConfiguration) -> [String: String] {
        var shops: [String: String] = [:]
        for shop in configuration.shops.map(\.name) {
            for queue in [
                ServiceCatalogue.pushQueue(of: shop), ServiceCatalogue.urgentQueue(of: shop),
                ServiceCatalogue.passQueue(of: shop), ServiceCatalogue.fetchQueue(of: shop),
                ServiceCatalogue.readBackQueue(of: shop),
            ] { shops[queue] = shop.rawValue }
        }
        return shops
    }
}

extension StatusReport.Service {
    /// - Parameter isKnown: Whether the broker said what waits; without it nothing is advised.
    init(_ load: ServiceLoad, _ paces: [ServiceLoad.Pace], isKnown: Bool) {
        let advice = isKnown ? ScalingAdvice.of(load, paces: paces) : .enough
        self.init(
            service: load.service, replicas: load.replicas, ready: isKnown ? load.ready : nil, inHand: load.inHand,
            retrying: isKnown ? load.retrying : nil, outbox: load.outbox, perSecond: load.perSecond,
            drainSeconds: isKnown ? load.drainSeconds : nil, moreReplicas: advice.moreReplicas,
            advice: advice.sentence(load, paces: paces))
    }
}
