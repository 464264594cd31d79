import Concurrency
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
            let claimed = try await claim(event.payload)
            guard !claimed.rows.isEmpty else { return claimed.outcome }
            let capabilities: ShopCapabilities
            do throws(ConnectorError) {
                capabilities = try await account.capabilities()
            } catch {
                return try await giveUp(claimed.rows, because: error)
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
    }

    struct Step: Sendable {
        var rows: [ClaimedShelf] = []
        var outcome: Outcome = .done
    }

    // MARK: Claiming

    private func claim(_ wish: PushWork) async throws -> Step {
        let (policy, now, replica, name) = (shop.push, clock.now(), replica, shop.name)
        let wishes = Dictionary(wish.shelves.map { ($0.id, $0.version) }) { max($0, $1) }
        return try await database.unitOfWork { work in
            var step = Step()
            let shadow = try !ShopStore.writableShops(in: work.transaction).contains(name)
            let around = PushSurroundings(feeds: [], closed: shadow ? .shadow : nil)
            var rows = try ShelfStore.lock(.shelves(name, Array(wishes.keys)), in: work.transaction)
            for index in rows.indices {
                let request = PushRequest(
                    version: wishes[rows[index].shelf] ?? 0, retryRejected: wish.retryRejected)
                switch rows[index].state.claim(
                    for: request, owner: replica, now: now, policy: policy, around: around)
                {
                case .push(let claim): step.rows.append(ClaimedShelf(id: rows[index].shelf, claim: claim))
                case .wait(let until): step.outcome = step.outcome.worse(.later(until, now))
                case .deferred(_, let until?): step.outcome = step.outcome.worse(.later(until, now))
                case .nothing, .deferred, .takeReserve: break
                }
            }
            try ShelfStore.save(rows, in: work.transaction)
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
        let (policy, now, name) = (shop.push, clock.now(), shop.name)
        do {
            return try await database.unitOfWork { work in
                var step = Step()
                let claims = Dictionary(uniqueKeysWithValues: shelves.map { ($0.id, $0.claim) })
                var rows = try ShelfStore.lock(.shelves(name, shelves.map(\.id)), in: work.transaction)
                for index in rows.indices {
                    guard let claim = claims[rows[index].shelf] else { continue }
                    guard let found = observed[rows[index].shelf] else {
                        rows[index].state.record(
                            .rejected(words: "The shop no longer has this item."), of: claim, now: now, policy: policy)
                        continue
                    }
                    guard let quantity = found.quantity, found.managed else {
                        // The shop does not track it yet: there is nothing to compare with, and writing turns it on.
                        step.rows.append(ClaimedShelf(id: rows[index].shelf, claim: claim))
                        continue
                    }
                    let stock = Domain.ObservedStock(level: quantity.flooredUnits, readFrom: began, readTo: now)
                    switch rows[index].state.afterReading(
                        claim, observed: stock, now: now, policy: policy, around: PushSurroundings())
                    {
                    case .write(let claim): step.rows.append(ClaimedShelf(id: rows[index].shelf, claim: claim))
                    case .deferred(_, let until?): step.outcome = step.outcome.worse(.later(until, now))
                    case .asWanted, .deferred, .takeReserve, .fetchOrders, .held, .claimLost: break
                    }
                }
                try ShelfStore.save(rows, in: work.transaction)
                return step
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
                    shelves.map { StockWrite(id: $0.id, quantity: Quantity($0.claim.level)) })
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
            }
        }
        do {
            return try await record(results, began: began)
        } catch {
            throw ConnectorError.notPaced(
                ShopCall(shop: shop.name, action: .writeStock), .unavailable(detail: "\(type(of: error))"))
        }
    }
}

extension Outcome {
    /// Come back at that time.
    static func later(_ until: Date, _ now: Date) -> Outcome {
        .later(milliseconds: max(100, Int((until.timeIntervalSince(now) * 1_000).rounded(.up))))
    }

    /// Of two things that have to happen with one message, the one that covers both.
    func worse(_ other: Outcome) -> Outcome {
        switch (self, other) {
        case (.done, _): other
        case (_, .done): self
        case (.defer, _), (.park, _): self
        case (_, .defer), (_, .park): other
        case (.later(let left), .later(let right)): .later(milliseconds: max(left, right))
        // A failure counts an attempt, or a shop that answers nonsense would be asked for ever; a message that comes
        // back too early is told to wait.
        case (.later, .retry): other
        case (.retry, .later): self
        case (.retry, .retry): self
        }
    }
}
