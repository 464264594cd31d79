import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import ShopAccounts
import ShopConnectors

/// Pushes shelves of one shop: claims them, reads what the shop has, writes what the table wants, records the answers.
///
/// The claim commits before the call and the result after it; all decisions are Domain's (`ShelfState`).
struct PushHandler: WorkHandler {
    let shop: PublisherSettings.Shop
    let account: ShopAccount
    let database: ServiceDatabase
    let levels: LevelWriter
    let clock: WallClock
    let replica: String
    let faults: FaultInjection
    let logger: Logger

    var leaseSeconds: Int { Int(shop.push.sendWithinSeconds + shop.push.requestLifeSeconds) }

    /// The dependency that is paused on when the shop is out.
    var dependency: Dependency { Dependency(ShopAccount.accountName(shop.name)) }

    func perform(_ event: Event<PushWork>, _ context: WorkContext) async -> Outcome {
        do {
            let asked: Result<ShopCapabilities, ConnectorError>
            do throws(ConnectorError) {
                asked = .success(try await account.capabilities())
            } catch {
                asked = .failure(error)
            }
            let compares = (try? asked.get().stockWriting?.comparesAndSets) ?? false
            let claimed = try await claim(event.payload, comparesAndSets: compares)
            // Nothing to push and nothing to wait for: every shelf is at this version or beyond it.
            guard !claimed.rows.isEmpty else { return claimed.outcome == .done ? .superseded : claimed.outcome }
            let capabilities: ShopCapabilities
            switch asked {
            case .success(let found): capabilities = found
            case .failure(let error): return try await giveUp(claimed.rows, because: error)
            }
            var outcome = claimed.outcome
            let ready = try await readBeforeWriting(claimed.rows, capabilities)
            outcome = outcome.worse(ready.outcome)
            outcome = outcome.worse(try await write(ready.rows, capabilities))
            return outcome
        } catch {
            return databaseFailure(error)
        }
    }

    /// A shelf under a claim of ours.
    struct ClaimedShelf: Sendable {
        let id: ListingID
        let claim: PushClaim
        /// What the shop has to have before, where the platform compares; nil writes in any case.
        var expected: Int?
    }

    struct Step: Sendable {
        var rows: [ClaimedShelf] = []
        var outcome: Outcome = .done
    }

    // MARK: Claiming

    private func claim(_ wish: PushWork, comparesAndSets: Bool) async throws -> Step {
        let (now, replica, shop, levels) = (clock.now(), replica, shop, levels)
        let wishes = Dictionary(wish.shelves.map { ($0.id, $0.version) }) { max($0, $1) }
        return try await database.unitOfWork { work in
            var step = Step()
            let around = try levels.surroundings(of: shop, in: work.transaction)
            var rows = try ShelfStore.lock(.shelves(shop.name, Array(wishes.keys)), in: work.transaction)
            var waiting: [(id: ListingID, at: Date)] = []
            func decide(_ index: Int) -> [ShopName] {
                let request = PushRequest(
                    version: wishes[rows[index].shelf] ?? 0, retryRejected: wish.retryRejected)
                let policy = shop.policy(for: rows[index].state, around: around, comparesAndSets: comparesAndSets)
                let expected = rows[index].state.expectedAtShop
                switch rows[index].state.claim(for: request, owner: replica, now: now, policy: policy, around: around) {
                case .push(let claim):
                    step.rows.append(ClaimedShelf(id: rows[index].shelf, claim: claim, expected: expected))
                case .wait(let until): step.outcome = step.outcome.worse(.later(until, now))
                case .deferred(_, let until?): waiting.append((rows[index].shelf, until))
                case .takeReserve(let shops): return shops
                case .nothing, .deferred: break
                }
                return []
            }
            var reserves: [[ShopName]: [Int]] = [:]
            for index in rows.indices {
                let shops = decide(index)
                if !shops.isEmpty { reserves[shops, default: []].append(index) }
            }
            for (shops, indices) in reserves {
                let cause = LevelCause(
                    kind: "reserve", id: shops.map(\.rawValue).joined(separator: " "), at: now, keepsCause: true)
                let result = try levels.workOut(indices.map { rows[$0] }, because: cause, reserved: shops, in: work)
                for (index, row) in zip(indices, result.rows) {
                    rows[index] = row
                    _ = decide(index)
                }
            }
            try ShelfStore.save(rows, in: work.transaction)
            try ShelfStore.askAgain(waiting, of: shop.name, in: work.transaction)
            return step
        }
    }

    // MARK: Reading

    private func readBeforeWriting(_ rows: [ClaimedShelf], _ capabilities: ShopCapabilities) async throws -> Step {
        var step = Step(rows: rows.filter { !$0.claim.readFirst })
        let toRead = rows.filter(\.claim.readFirst)
        guard !toRead.isEmpty else { return step }
        let byID = Dictionary(uniqueKeysWithValues: toRead.map { ($0.id, $0) })
        let reading: any StockReading
        do throws(ConnectorError) {
            reading = try account.connector.require(\.stockReading, of: capabilities, for: .readStock)
        } catch {
            step.outcome = try await giveUp(toRead, because: error)
            return step
        }
        for group in reading.readGroups(toRead.map(\.id)) {
            let shelves = group.compactMap { byID[$0] }
            let began = clock.now()
            do throws(ConnectorError) {
                let observed = try await reading.read(group)
                let read = try await after(reading: shelves, observed, began: began)
                step.rows += read.rows
                step.outcome = step.outcome.worse(read.outcome)
            } catch {
                step.outcome = step.outcome.worse(try await giveUp(shelves, because: error))
            }
        }
        return step
    }

    private func after(
        reading shelves: [ClaimedShelf], _ observed: [ListingID: ShopConnectors.ObservedStock], began: Date
    ) async throws(ConnectorError) -> Step {
        let (now, shop, levels) = (clock.now(), shop, levels)
        do {
            return try await database.unitOfWork { work in
                let claims = Dictionary(uniqueKeysWithValues: shelves.map { ($0.id, $0.claim) })
                let around = try levels.surroundings(of: shop, in: work.transaction)
                var rows = try ShelfStore.lock(.shelves(shop.name, shelves.map(\.id)), in: work.transaction)
                var reading = ReadShelves(shop: shop, around: around, began: began, now: now)
                for index in rows.indices {
                    guard let claim = claims[rows[index].shelf] else { continue }
                    reading.decide(&rows[index], claim, observed[rows[index].shelf])
                }
                try ShelfStore.save(rows, in: work.transaction)
                try ShelfStore.askAgain(reading.waiting, of: shop.name, in: work.transaction)
                if reading.hasUnseenSales { try FeedStore.askForOrders(of: shop.name, in: work) }
                try levels.request(
                    reading.again, retryRejected: false, correlation: "follow-up", isUrgent: true, in: work)
                return reading.step
            }
        } catch {
            throw ConnectorError.notPaced(
                ShopCall(shop: shop.name, action: .readStock), .unavailable(detail: "\(type(of: error))"))
        }
    }

    // MARK: Writing

    private func write(_ rows: [ClaimedShelf], _ capabilities: ShopCapabilities) async throws -> Outcome {
        guard !rows.isEmpty else { return .done }
        let writing: any StockWriting
        do throws(ConnectorError) {
            writing = try account.connector.require(\.stockWriting, of: capabilities, for: .writeStock)
        } catch {
            return try await giveUp(rows, because: error)
        }
        let byID = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0) })
        var outcome = Outcome.done
        for group in writing.groups(rows.map(\.id)) {
            let shelves = group.compactMap { byID[$0] }
            let began = clock.now()
            guard shelves.allSatisfy({ $0.claim.maySend(at: began) }) else {
                outcome = outcome.worse(try await record(shelves.map { ($0, .notSent(.rateLimit), nil) }, began: began))
                continue
            }
            do throws(ConnectorError) {
                let answers = try await writing.write(
                    shelves.map { shelf in
                        StockWrite(
                            id: shelf.id, quantity: Quantity(shelf.claim.level),
                            expected: writing.comparesAndSets ? shelf.expected.map { Quantity($0) } : nil,
                            attempt: "\(shop.name)/\(shelf.id)/\(shelf.claim.number)")
                    })
                faults.reached(.afterCallBeforeCommit)
                outcome = outcome.worse(
                    try await recordAnswers(answers, shelves, began: began))
            } catch {
                outcome = outcome.worse(try await giveUp(shelves, because: error, began: began))
            }
        }
        return outcome
    }

    private func recordAnswers(
        _ answers: [ListingID: StockWriteResult], _ shelves: [ClaimedShelf], began: Date
    ) async throws(ConnectorError) -> Outcome {
        let results = shelves.map { shelf -> (ClaimedShelf, PushResult, String?) in
            switch answers[shelf.id] ?? .unanswered {
            case .confirmed: (shelf, .confirmed(began: began), nil)
            case .altered(let answered):
                (
                    shelf, .lostAnswer(began: began, "The shop stored \(answered?.description ?? "another number")."),
                    "stored \(answered?.description ?? "nothing we know")"
                )
            case .rejected(let code, let message): (shelf, .rejected(words: "\(code): \(message)"), code)
            case .mismatch(let observed):
                (
                    shelf,
                    observed.map {
                        .mismatch(Domain.ObservedStock(level: $0.flooredUnits, readFrom: began, readTo: clock.now()))
                    } ?? .lostAnswer(began: began, "The shop had another quantity than expected."), "mismatch"
                )
            case .unanswered: (shelf, .lostAnswer(began: began, "The answer does not name this item."), nil)
            case .notWritten: (shelf, .failed("Another item of the same call was refused."), nil)
            }
        }
        do {
            let outcome = try await record(results, began: began)
            // What was refused for another item's sake has nothing wrong with it: it is written without that one.
            let hasLeft = answers.values.contains { if case .notWritten = $0 { true } else { false } }
            return hasLeft ? outcome.worse(.later(milliseconds: 200)) : outcome
        } catch {
            throw ConnectorError.notPaced(
                ShopCall(shop: shop.name, action: .writeStock), .unavailable(detail: "\(type(of: error))"))
        }
    }
}
