import Contracts
import Domain
import Foundation
import RabbitMQ
import ShopSimulators
import TestStack
import Testing

@testable import Reconciler

@Suite("A shop that is out fills no dead-letter queue of reconciler", .timeLimit(.minutes(20)))
struct OutageTests {
    @Test(
        "the reading waits for the shop, however few the attempts; it is told once each way",
        arguments: [Fault(.status, status: 503), Fault(.status, status: 429), Fault(.reset)])
    func nothingDies(_ fault: Fault) async throws {
        let products = [CatalogueProduct(id: 10, sku: "SKU-0", name: "Soap", stock: 10)]
        try await ReconcilerBench.with(["hanoi": products], attempts: 2) { bench in
            let hanoi = try bench.simulator("hanoi")
            hanoi.inject(fault)
            bench.publisher.state([.right("10", sku: "SKU-0", units: 10)], of: "hanoi")
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            let isOut = "SELECT count(*) FROM shared.breakers WHERE opened_at IS NOT NULL AND failures >= 10"
            #expect(try await eventually { try await bench.system.number(isOut) == 1 }, "probed again and again")
            #expect(try await bench.system.ready("reconciler.dead") == 0)
            hanoi.clearFaults()
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM reconciliation.run_shops WHERE state = 'done'")
                        == 1
                })
            #expect(try await eventually { try await bench.system.number("SELECT count(*) FROM shared.breakers") == 0 })
            #expect(try await bench.system.ready("reconciler.dead") == 0)
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM reconciliation.outbox") == 0
                })
            let waiting = try await bench.system.ready("notifier")
            let told = try await bench.system.take(waiting, from: "notifier", within: .seconds(10))
                .compactMap(\.properties.type).filter { $0.hasPrefix("alert.") }
            #expect(told.filter { $0 == AlertRaised.type.name }.count == 1, "\(told)")
        }
    }
}
