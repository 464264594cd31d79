import Contracts
import Domain
import Messaging
import RabbitMQ
import ShopSimulators
import TestStack
import Testing

@Suite("A shop that is out fills no dead-letter queue", .timeLimit(.minutes(20)))
struct OutageTests {
    static let products = (0..<12).map { CatalogueProduct(id: 10 + $0, sku: "SKU-\($0)", name: "Soap", stock: 0) }
    static func stock(_ units: Int) -> [(code: String, units: Int)] { (0..<12).map { ("SKU-\($0)", units + $0) } }

    /// Twelve products that are pushed one by one, and messages that are tried twice.
    private func withPushedShop(_ body: (PublisherBench, ShopSimulator) async throws -> Void) async throws {
        let shop = ShopSetup(name: "hanoi", catalogue: Self.products, batch: 1)
        try await PublisherBench.with([shop], attempts: 2) { bench in
            let simulator = try bench.simulator()
            try await bench.stock(Self.stock(5), sequence: 1)
            try await bench.release()
            for number in 0..<12 { #expect(try await bench.shows(5 + number, of: "\(10 + number)")) }
            #expect(try await bench.runsEnded())
            try await body(bench, simulator)
        }
    }

    /// Takes what notifier was told about the shop being out, in order.
    private func toldOfOutage(_ bench: PublisherBench) async throws -> [String] {
        let waiting = try await bench.system.ready("notifier")
        return try await bench.system.take(waiting, from: "notifier", within: .seconds(10)).compactMap { delivery in
            let type = delivery.properties.type
            switch type {
            case AlertRaised.type.name:
                let alert: AlertRaised = try ContractCoding.decode(from: delivery.body)
                return alert.condition == "shop-outage:hanoi" ? type : nil
            case AlertCleared.type.name:
                let alert: AlertCleared = try ContractCoding.decode(from: delivery.body)
                return alert.condition == "shop-outage:hanoi" ? type : nil
            default: return nil
            }
        }
    }

    @Test(
        "nothing dies, however few the attempts; one alert says that it is out, and one that it is back",
        arguments: [
            Fault(.status, status: 503), Fault(.status, status: 429), Fault(.timeoutBeforeWrite), Fault(.reset),
        ])
    func nothingDies(_ fault: Fault) async throws {
        try await withPushedShop { bench, simulator in
            simulator.inject(fault)
            try await bench.stock(Self.stock(50), sequence: 2)
            try await bench.command(.catalogue, ["shop": .string("hanoi")])
            let isOut = "SELECT count(*) FROM shared.breakers WHERE opened_at IS NOT NULL AND failures >= 10"
            #expect(try await eventually { try await bench.system.number(isOut) == 1 }, "probed again and again")
            #expect(try await bench.system.ready("stock-publisher.dead") == 0)
            simulator.clearFaults()
            for number in 0..<12 { #expect(try await bench.shows(50 + number, of: "\(10 + number)")) }
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM shared.breakers") == 0
                })
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM publishing.shops WHERE catalogue_problem IS NULL") == 1
                }, "the catalogue is read too")
            #expect(try await bench.system.ready("stock-publisher.dead") == 0)
            #expect(
                try await eventually { try await bench.system.number("SELECT count(*) FROM publishing.outbox") == 0 })
            #expect(try await toldOfOutage(bench) == [AlertRaised.type.name, AlertCleared.type.name])
        }
    }

    @Test("an answer that cannot be understood is no outage: the shop is not paused, and the messages die")
    func malformed() async throws {
        try await withPushedShop { bench, simulator in
            simulator.inject(Fault(.html, method: "POST"))
            try await bench.stock(Self.stock(50), sequence: 2)
            #expect(try await eventually { try await bench.system.ready("stock-publisher.dead") > 0 })
            #expect(try await bench.system.number("SELECT count(*) FROM shared.breakers") == 0)
        }
    }

    @Test("one article that the shop cannot take without failing dies; the others do not wait for it")
    func poison() async throws {
        try await withPushedShop { bench, simulator in
            simulator.inject(Fault(.status, method: "POST", path: batchPath, times: 2, status: 500))
            try await bench.stock([("SKU-0", 70)], sequence: 2)
            #expect(try await eventually { try await bench.system.ready("stock-publisher.dead") == 1 })
            try await bench.stock([("SKU-1", 71)], sequence: 3)
            #expect(try await bench.shows(71, of: "11"))
        }
    }
}
