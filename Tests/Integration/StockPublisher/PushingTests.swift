import Contracts
import Domain
import Foundation
import RabbitMQ
import ShopSimulators
import TestStack
import Testing

@Suite("Pushing to shops that misbehave", .timeLimit(.minutes(20)))
struct PushingTests {
    /// One shop that shows five pieces of soap already.
    private func withFiveSoaps(_ body: (PublisherBench, ShopSimulator) async throws -> Void) async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.stock([("SOAP", 5)], sequence: 1)
            try await bench.release()
            try #require(try await bench.shows(5, of: "10"))
            try await body(bench, try bench.simulator())
        }
    }

    /// The next event of a type that notifier gets; others are dropped.
    private func next<Payload: EventPayload>(_ type: Payload.Type, _ bench: PublisherBench) async throws -> Payload {
        while let delivery = try await bench.system.take(1, from: "notifier").first {
            guard delivery.properties.type == Payload.type.name else { continue }
            return try ContractCoding.decode(type, from: delivery.body)
        }
        throw TestStackProblem("No \(Payload.type.name) came within the time.")
    }

    @Test("a lost answer after the write is cleared up by reading, not by writing again")
    func lostAnswer() async throws {
        try await withFiveSoaps { bench, simulator in
            simulator.inject(Fault(.lostAnswer, method: "POST", path: batchPath, times: 1))
            try await bench.stock([("SOAP", 4)], sequence: 2)
            #expect(try await bench.shows(4, of: "10"))
            #expect(simulator.statistics.faults["lost_answer"] == 1)
            #expect(try bench.levels(of: "10") == [5, 4])
        }
    }

    @Test("the last confirmed level is pushed again where a lost answer left another one in the shop")
    func lostAnswerOfFiveFourFive() async throws {
        try await withFiveSoaps { bench, simulator in
            simulator.inject(Fault(.lostAnswer, method: "POST", path: batchPath, times: 1))
            try await bench.stock([("SOAP", 4)], sequence: 2)
            #expect(try await eventually { simulator.stock(of: "10") == 4 })
            try await bench.stock([("SOAP", 5)], sequence: 3)
            #expect(try await bench.shows(5, of: "10"))
            #expect(try bench.levels(of: "10") == [5, 4, 5])
        }
    }

    @Test("a write that takes effect after its time-out never ends above a newer one")
    func lateWrite() async throws {
        try await withFiveSoaps { bench, simulator in
            simulator.inject(
                Fault(.lateWrite, method: "POST", path: batchPath, times: 1, delayMilliseconds: 2_000))
            try await bench.stock([("SOAP", 4)], sequence: 2)
            #expect(try await eventually { simulator.statistics.faults["late_write"] == 1 })
            try await bench.stock([("SOAP", 9)], sequence: 3)
            #expect(try await bench.shows(9, of: "10"))
            #expect(try bench.levels(of: "10") == [5, 4, 9])
        }
    }

    @Test("an HTML page instead of JSON is no success, and the push is tried again")
    func html() async throws {
        try await withFiveSoaps { bench, simulator in
            simulator.inject(Fault(.html, times: 2))
            try await bench.stock([("SOAP", 4)], sequence: 2)
            #expect(try await bench.shows(4, of: "10"))
            #expect(simulator.statistics.faults["html"] == 2)
            #expect(try bench.levels(of: "10") == [5, 4])
        }
    }

    @Test("refused credentials pause the shop and alert; afterwards everything is pushed and the alert is cleared")
    func unauthorized() async throws {
        try await withFiveSoaps { bench, simulator in
            simulator.inject(Fault(.status, status: 401))
            try await bench.stock([("SOAP", 4)], sequence: 2)
            let alert = try await next(AlertRaised.self, bench)
            #expect(alert.condition == "shop-credentials:hanoi" && alert.severity == .critical)
            let asked = simulator.statistics.faults["status"] ?? 0
            try await Task.sleep(for: .seconds(3))
            #expect(simulator.statistics.faults["status"] ?? 0 <= asked + 6, "the queue is paused but for probes")
            #expect(simulator.stock(of: "10") == 5)
            simulator.clearFaults()
            #expect(try await bench.shows(4, of: "10"))
            let cleared = try await next(AlertCleared.self, bench)
            #expect(cleared.condition == "shop-credentials:hanoi" && cleared.clearedAt > alert.raisedAt)
        }
    }

    @Test("a shop that asks for a pause gets it from everybody")
    func tooManyRequests() async throws {
        try await withFiveSoaps { bench, simulator in
            simulator.inject(Fault(.status, times: 1, status: 429, retryAfter: "4"))
            let began = Date()
            try await bench.stock([("SOAP", 4), ("SHAMPOO", 3)], sequence: 2)
            #expect(try await bench.shows(4, of: "10"))
            #expect(try await bench.shows(3, of: "11"))
            #expect(simulator.statistics.faults["status"] == 1)
            // By the shop's own times, since a test may be late with its looks.
            let written = simulator.journal.filter { $0.source == .api }.map(\.time)
                .map { $0 - began.timeIntervalSince1970 }.filter { $0 > 0 }
            #expect(written.count >= 2 && written.allSatisfy { $0 > 3.9 }, "written after \(written) seconds")
        }
    }

    @Test("a shop that is out holds up nobody else, and gets what waited when it is back")
    func outage() async throws {
        try await PublisherBench.with([
            ShopSetup(name: "hanoi", catalogue: threeProducts), ShopSetup(name: "saigon", catalogue: threeProducts),
        ]) { bench in
            try await bench.stock([("SOAP", 5)], sequence: 1)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10", in: "saigon"))
            let saigon = try bench.simulator("saigon")
            saigon.inject(Fault(.status, status: 503))
            try await bench.stock([("SOAP", 4), ("SHAMPOO", 2), ("CREAM", 1)], sequence: 2)
            #expect(try await bench.shows(4, of: "10", in: "hanoi"))
            #expect(try await bench.shows(1, of: "12", in: "hanoi"))
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM shared.breakers WHERE account = 'shop saigon' AND opened_at IS NOT NULL")
                        == 1
                })
            let others = try await bench.system.number(
                "SELECT count(*) FROM shared.breakers WHERE account = 'shop hanoi'")
            #expect(others == 0)
            saigon.clearFaults()
            for (listing, units) in [("10", 4), ("11", 2), ("12", 1)] {
                #expect(try await bench.shows(units, of: listing, in: "saigon"))
            }
            #expect(try await bench.system.ready("stock-publisher.dead") == 0)
        }
    }

    @Test("a shop's first push is held in shadow: levels are worked out, nothing is written")
    func shadow() async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.stock([("SOAP", 5), ("CREAM", 2)], sequence: 1)
            try await bench.mapped()
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM publishing.shelves WHERE wanted > 0") == 2
                })
            #expect(try await bench.runsEnded())
            #expect(try await bench.count("deferred") == 2)
            #expect(try await bench.count("unmapped") == 1)
            #expect(try bench.simulator().journal.isEmpty)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10"))
            #expect(try await bench.shows(2, of: "12"))
        }
    }

    @Test("an older snapshot never replaces a newer one, in whatever order they arrive")
    func olderSnapshot() async throws {
        try await withFiveSoaps { bench, simulator in
            try await bench.stock([("SOAP", 9), ("CREAM", 3)], sequence: 7)
            #expect(try await bench.shows(9, of: "10"))
            try await bench.stock([("SOAP", 1), ("SHAMPOO", 6)], sequence: 4)
            #expect(try await bench.shows(6, of: "11"), "what only the older one names counts")
            #expect(try await bench.shows(3, of: "12"))
            #expect(try bench.levels(of: "10") == [5, 9])
            #expect(
                try await bench.system.number("SELECT sequence::int FROM publishing.sources WHERE source = 'erp'") == 7)
        }
    }
}
