import Contracts
import Domain
import Foundation
import Messaging
import ShopAccounts
import ShopConnectors

/// Fetches one order by its id: a hint said that it changed, or somebody asked for it.
struct FetchHandler: WorkHandler {
    let pass: PassHandler

    var leaseSeconds: Int { 120 }

    func perform(_ event: Event<FetchWork>, _ context: WorkContext) async -> Outcome {
        let wish = event.payload
        do {
            let capabilities = try await pass.account.capabilities()
            let reading = try pass.account.connector.require(\.orderReading, of: capabilities, for: .readOrders)
            let read = try await pass.fetch(wish.externalID, reading)
            let ledger = pass.ledger
            // Somebody else may add the order at the same moment: then it is known, and the same reading is compared.
            while true {
                let stored = try await pass.database.unitOfWork { work in
                    try ledger.store([read], via: wish.via, in: work)
                }
                if stored.open.isEmpty { return .done }
            }
        } catch let error as ConnectorError {
            return await outcome(of: error)
        } catch {
            return .retry(
                FailureReason(.transient, code: "database", message: "An order of shop \(wish.shop): \(error)"))
        }
    }

    private func outcome(of error: ConnectorError) async -> Outcome {
        switch error {
        case .unauthorized, .forbidden:
            await pass.account.alerts.refusedCredentials("\(error)")
            return .defer(pass.dependency)
        case .notPaced(_, .breakerOpen):
            return .defer(pass.dependency)
        case .notPaced:
            return .later(milliseconds: 3_000)
        default:
            let reason = FailureReason(
                error.disposition == .transient ? .transient : .permanent, code: "shop.\(error.label)",
                message: "\(error)")
            if error.countsAsOutage { return .outage(pass.dependency, reason) }
            return error.disposition == .transient ? .retry(reason) : .park(reason)
        }
    }
}
