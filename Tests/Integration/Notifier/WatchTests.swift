import Contracts
import Foundation
import Messaging
import RabbitMQ
import ServiceKit
import TestStack
import Testing

@testable import Notifier

@Suite("The system tells about itself", .timeLimit(.minutes(20)))
struct WatchTests {
    @Test("an event that reached nobody is told once, and once more when the queue is empty")
    func unrouted() async throws {
        try await WatchBench.with { bench in
            #expect(await bench.probe.look() == .answers(unrouted: 0), "under notifier's own permissions")
            let administrator = TopologySession(bench.system.brokerAdministrator)
            // Nobody is bound to it from now on.
            try await administrator.unbindQueue("notifier", exchange: Topology.events, routingKey: "stock.held")
            let publisher = Publisher(bench.system.broker(.stockIngestor))
            let outcomes = try await publisher.publish([
                OutgoingMessage(
                    exchange: Topology.events, routingKey: "stock.held", mandatory: true,
                    properties: MessageProperties(), body: [])
            ])
            #expect(outcomes == [.confirmed])
            await publisher.close()
            #expect(try await eventually { await bench.probe.look() == .answers(unrouted: 1) })
            try await bench.watches[0].look(await bench.probe.look())
            #expect(try await bench.subjects() == [], "one look is not enough")
            try await bench.lookTwice()
            #expect(try await bench.subjects() == ["1 event reached nobody"])
            try await bench.lookTwice()
            #expect(try await bench.subjects().count == 1)
            #expect(try await bench.openConditions() == ["unrouted"])
            try await bench.watches[0].look(.away("The broker is away."))
            #expect(try await bench.openConditions() == ["unrouted"], "what is unknown stays as it was")
            try await administrator.purgeQueue(Topology.unrouted)
            await administrator.close()
            try await bench.lookTwice()
            #expect(try await bench.subjects() == ["1 event reached nobody", "Over: 1 event reached nobody"])
            #expect(try await bench.openConditions() == [])
        }
    }

    @Test("an outbox that nobody empties is told with the broker's answer and since when")
    func outboxLag() async throws {
        try await WatchBench.with { bench in
            try await bench.system.administrate(
                """
                INSERT INTO stock.outbox (id, exchange, routing_key, headers, body, created_at, last_error)
                VALUES (gen_random_uuid(), 'e', 'k', '', '{}', clock_timestamp() - interval '10 minutes',
                    'refused, 404')
                """)
            try await bench.lookTwice()
            #expect(try await bench.subjects() == ["stock-ingestor cannot publish its events"])
            #expect(
                try await bench.system.number(
                    """
                    SELECT count(*) FROM notifications.alerts WHERE text LIKE '%10 minutes%refused, 404%'
                        AND service = 'stock-ingestor' AND opened_at < clock_timestamp() - interval '10 minutes'
                    """) == 1)
            try await bench.system.administrate("DELETE FROM stock.outbox")
            try await bench.lookTwice()
            #expect(try await bench.subjects().last == "Over: stock-ingestor cannot publish its events")
        }
    }

    @Test("services that died or were stopped are told together, and again when they are back")
    func vanished() async throws {
        try await WatchBench.with { bench in
            try await bench.system.administrate(
                """
                UPDATE shared.replicas SET heartbeat_at = heartbeat_at - interval '2 minutes'
                WHERE service = 'order-collector';
                SELECT shared.sign_off(md5('reconciler')::uuid);
                """)
            try await bench.watches[0].look(await bench.probe.look())
            try await bench.pass(seconds: 1)
            try await bench.lookTwice(seconds: 70)
            #expect(try await bench.subjects() == ["2 services are not running"])
            #expect(
                try await bench.openConditions() == ["service-away:order-collector", "service-away:reconciler"])
            try await bench.beat()
            try await bench.lookTwice()
            #expect(try await bench.subjects().last == "Over: 2 services are not running")
        }
    }

    @Test("a schedule that nobody fired is told; one that a jump of the clock made late is not")
    func schedule() async throws {
        try await WatchBench.with { bench in
            try await bench.system.administrate(
                """
                SELECT shared.declare_schedule(
                    'stock-ingestor', 'ingest erp', '0 6 * * *', 'UTC', now() - interval '1 h')
                """)
            try await bench.watches[0].look(await bench.probe.look())
            try await bench.system.administrate("UPDATE shared.schedules SET next_due = now() + interval '1 h'")
            try await bench.lookTwice()
            #expect(try await bench.subjects() == [])
            try await bench.system.administrate("UPDATE shared.schedules SET next_due = now() - interval '11 minutes'")
            try await bench.lookTwice()
            #expect(try await bench.subjects() == ["The schedule 'ingest erp' of stock-ingestor did not run"])
        }
    }

    @Test("new kinds of errors are told once, in one mail, by whichever of two replicas looks")
    func newErrors() async throws {
        try await WatchBench.with { bench in
            func insert(_ fingerprint: String) async throws {
                try await bench.system.administrate(
                    """
                    INSERT INTO dead_letters.fingerprints VALUES ('\(fingerprint)', 'notifier', 'notifier.mail', now());
                    INSERT INTO dead_letters.letters (service, queue, identity, properties, body, error_class,
                        error_code, error_message, fingerprint, attempts, failed_at, archived_at, death, state_at)
                    VALUES ('notifier', 'notifier.mail', '\(fingerprint)', '{}', '', 'permanent', 'mail', 'Refused.',
                        '\(fingerprint)', 1, now(), now(), '', now());
                    """)
            }
            func lookTogether() async throws {
                try await withThrowingDiscardingTaskGroup { group in
                    for _ in 0..<3 {
                        for watch in bench.watches { group.addTask { try await watch.look(.answers(unrouted: 0)) } }
                    }
                }
            }
            try await insert("one")
            try await insert("two")
            try await lookTogether()
            #expect(try await bench.subjects() == [])
            try await bench.pass()
            try await lookTogether()
            #expect(try await bench.subjects() == ["2 new kinds of errors in notifier"])
            // The other replica takes over, and knows what was told.
            try await bench.system.administrate("UPDATE notifications.watch SET lease_until = '-infinity'")
            try await bench.pass()
            try await bench.watches[1].look(.answers(unrouted: 0))
            try await insert("three")
            try await bench.watches[1].look(.answers(unrouted: 0))
            try await bench.pass()
            try await bench.watches[1].look(.answers(unrouted: 0))
            #expect(
                try await bench.subjects() == [
                    "2 new kinds of errors in notifier", "A new kind of error in notifier",
                ])
        }
    }

    @Test("dead letters that grow, and that nobody looks at, are told")
    func deadLetters() async throws {
        try await WatchBench.with { bench in
            try await bench.system.administrate(
                """
                INSERT INTO dead_letters.letters (service, queue, identity, properties, body, error_class, error_code,
                    error_message, fingerprint, attempts, failed_at, archived_at, death, state_at)
                SELECT 'notifier', 'notifier.mail', n::text, '{}', '', 'permanent', 'mail', 'Refused.', 'f', 1, now(),
                    CASE n WHEN 0 THEN now() - interval '25 hours' ELSE now() END, '', now()
                FROM generate_series(0, 51) AS n;
                """)
            try await bench.lookTwice()
            #expect(
                try await bench.subjects().sorted() == [
                    "51 new dead letters in 10 minutes", "Dead letters have waited for more than 24 hours",
                ])
            try await bench.system.administrate("UPDATE dead_letters.letters SET state = 'archived'")
            try await bench.lookTwice()
            #expect(try await bench.openConditions() == ["dead-letters-growing"])
        }
    }

    @Test("while the broker takes nothing mails go out without it, once, whoever sends and whatever is queued")
    func blocked() async throws {
        try await WatchBench.with { bench in
            try await bench.beat(state: "blocked", of: [.stockPublisher, .stockIngestor])
            try await bench.lookTwice(seconds: 70)
            #expect(try await bench.subjects() == ["The broker takes nothing from 2 services"])
            let began = ContinuousClock.now
            for watch in bench.watches {
                #expect(try await watch.sendDirectly(.answers(unrouted: 0), at: began) == 0)
                #expect(try await watch.sendDirectly(.answers(unrouted: 0), at: began + .seconds(59)) == 0)
            }
            #expect(try bench.delivered() == 0)
            try await withThrowingDiscardingTaskGroup { group in
                for watch in bench.watches {
                    group.addTask {
                        try await watch.sendDirectly(.away("It is away."), at: began + .seconds(61))
                    }
                }
            }
            #expect(try await eventually { try bench.delivered() > 0 })
            #expect(
                try await bench.system.number("SELECT count(*) FROM notifications.mails WHERE sent_at IS NOT NULL") == 1
            )
            #expect(try await bench.system.number("SELECT count(*) FROM notifications.outbox") == 1)
            try await bench.deliverQueued()
            #expect(try bench.delivered() == 1, "the queued message found it sent")
            #expect(try await bench.system.ready("notifier.dead") == 0)
        }
    }
}
