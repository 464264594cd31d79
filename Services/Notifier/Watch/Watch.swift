import Concurrency
import Contracts
import Foundation
import Logging
import Messaging
import PostgreSQL
import RabbitMQ
import ServiceKit
import Settings

/// Looks at the system every few seconds and tells people when something begins or ends that they should know of.
///
/// One replica looks at a time. Nothing is told while the database is away: what was told is kept there.
struct Watch: Sendable {
    static let everySeconds = 15

    private let parts: ServiceParts
    private let composer: MailComposer
    private let outgoing: Outgoing
    private let rules: WatchRules
    private let store: WatchStore
    private let services: [ServiceName]
    private let directMail: DirectMail

    init(parts: ServiceParts, composer: MailComposer, outgoing: Outgoing, mail: MailHandler) {
        let configuration = parts.configuration
        self.parts = parts
        self.composer = composer
        self.outgoing = outgoing
        rules = WatchRules(limits: configuration.alerts.limits)
        store = WatchStore(
            database: parts.database, replica: parts.replicaID, limits: configuration.alerts.limits)
        services = ServiceCatalogue.services(for: configuration).filter { !$0.queues.isEmpty }.map(\.name)
        directMail = DirectMail(parts: parts, mail: mail)
    }

    func run() async {
        let probe = BrokerProbe(parts.runners.broker)
        while !parts.stop.isStopping {
            let broker = await probe.look()
            do {
                try await look(broker)
                try await sendDirectly(broker)
            } catch {
                parts.logger.warning("the system was not looked at", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .seconds(Self.everySeconds))
        }
        await store.giveTurn()
        await probe.close()
    }

    /// One look, if it is this replica's turn.
    func look(_ broker: WatchFacts.Broker) async throws {
        guard let turn = try await store.takeTurn() else { return }
        let facts = try await store.facts(now: parts.clock.now(), turn: turn, services: services, broker: broker)
        let (findings, unknown) = rules.look(at: facts)
        let (store, rules) = (store, rules)
        let newErrors = NewErrors(composer: composer, outgoing: outgoing)
        try await parts.database.unitOfWork { work in
            guard try store.hasTurn(in: work.transaction) else { return }
            let decision = rules.decide(
                findings, unknown: unknown, memory: try WatchStore.memory(in: work.transaction), moment: turn.moment,
                lookingSince: turn.lookingSince)
            for memory in decision.remember { try WatchStore.remember(memory, in: work.transaction) }
            try tell(decision, in: work)
            try newErrors.tell(at: turn.moment, in: work)
        }
    }

    /// Sends mails without the broker if it has been out for a minute.
    @discardableResult
    func sendDirectly(_ broker: WatchFacts.Broker, at moment: ContinuousClock.Instant = .now) async throws -> Int {
        var isOut = await parts.runners.publisher.isBlocked
        if case .away = broker { isOut = true }
        if !isOut { isOut = try await store.anyServiceIsBlocked() }
        return try await directMail.step(brokerIsOut: isOut, at: moment)
    }

    private func tell(_ decision: WatchDecision, in work: UnitOfWork) throws {
        for kind in WatchKind.allCases {
            let began = try decision.raise.filter { try $0.kind == kind && open($0, in: work) }
            try post(composer.began(began), in: work)
            let ended = try decision.clear.filter { WatchKind(condition: $0) == kind }
                .compactMap { try close($0, kind, in: work) }
            try post(composer.ended(ended, at: work.startedAt), in: work)
        }
    }

    private func post(_ content: MailContent?, in work: UnitOfWork) throws {
        guard let content else { return }
        try outgoing.post(
            content, about: "watch-\(UUID().uuidString.lowercased())", correlation: "watch", in: work)
    }

    /// Writes that it is open; false if it was before.
    private func open(_ finding: WatchFinding, in work: UnitOfWork) throws -> Bool {
        // A clock that was ahead for a while must not keep a condition from being told.
        let last = try AlertTable.lastChange(of: finding.condition, in: work.transaction)
        let raisedAt = max(finding.since, last?.addingTimeInterval(1) ?? finding.since)
        let advice = "\(finding.whatToDo) Commands: \(finding.commands.joined(separator: "; "))"
        return try AlertTable.open(
            AlertRaised(
                condition: finding.condition, service: finding.service ?? .notifier, severity: finding.severity,
                title: finding.title, text: finding.text, whatToDo: advice, raisedAt: raisedAt),
            in: work.transaction)
    }

    /// Writes that it is over; nil if it was before.
    private func close(_ condition: String, _ kind: WatchKind, in work: UnitOfWork) throws -> WatchEnding? {
        let last = try AlertTable.lastChange(of: condition, in: work.transaction) ?? work.startedAt
        let subject = condition.firstIndex(of: ":").map { String(condition[condition.index(after: $0)...]) }
        let text = kind.ending(subject)
        let closed = try AlertTable.close(
            AlertCleared(
                condition: condition, service: .notifier, text: text, clearedAt: max(work.startedAt, last)),
            in: work.transaction)
        return closed.map { WatchEnding(kind: kind, title: $0.title, text: text, openedAt: $0.openedAt) }
    }
}
