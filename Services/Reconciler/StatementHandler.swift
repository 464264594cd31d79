import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Takes in what stock-publisher says, and lets runs go on once a statement is complete.
struct StatementHandler: BatchHandler {
    let settings: ReconcilerSettings
    let conductor: Conductor

    func apply(_ events: [Event<StockPublished>], in work: UnitOfWork) throws {
        let known = events.map(\.payload).filter { settings.shop($0.statement.shop) != nil }
        // In one order everywhere, so that two replicas cannot wait for each other.
        let sorted = known.sorted {
            ($0.statement.shop, $0.statement.id.uuidString) < ($1.statement.shop, $1.statement.id.uuidString)
        }
        var numbers: [Int64] = []
        for payload in sorted {
            let number = try StatementStore.number(of: payload.statement, in: work.transaction)
            switch payload {
            case .header(let header): try StatementStore.save(header, as: number, in: work.transaction)
            case .chunk(let chunk): try StatementStore.save(chunk, as: number, in: work.transaction)
            }
            if numbers.last != number { numbers.append(number) }
        }
        for statement in try StatementStore.complete(numbers, in: work.transaction) {
            try conductor.arrived(statement, in: work)
        }
    }
}
