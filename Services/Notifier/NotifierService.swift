public import Concurrency
import Contracts
import Foundation
public import Messaging
import ServiceKit
public import Settings
import Transfer

/// notifier: mails people about held stock and orders, about reports, and about conditions that open and close; keeps
/// dead letters and replays them.
public struct NotifierService: Sendable {
    private let process: ServiceProcess

    /// - Parameters:
    ///   - configuration: The whole configuration.
    ///   - faults: `FaultInjection.none` but in tests.
    ///   - clock: The time.
    public init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system
    ) {
        process = ServiceProcess(name: .notifier, configuration: configuration, faults: faults, clock: clock)
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        try await process.run { parts in try Self.compose(parts) }
    }

    static func compose(_ parts: ServiceParts) throws -> ServiceComposition {
        let configuration = parts.configuration
        let composer = MailComposer(company: configuration.company, timeZone: configuration.timeZone)
        let outgoing = Outgoing(
            templates: try MailTemplates(), recipients: configuration.addresses(of: configuration.alerts.to),
            senderDomain: String(configuration.mail.fromAddress.split(separator: "@").last ?? "localhost"))
        let mail = MailHandler(
            server: try configuration.mailServer(for: .notifier),
            sender: try MailAddress(parsing: configuration.mail.from), transfer: parts.transfer,
            database: parts.database, clock: parts.clock, faults: parts.runners.faults, logger: parts.logger)
        return ServiceComposition(
            batch: [
                BatchRunner(
                    queue: "notifier",
                    routes: [
                        BatchRoute(AlertRaisedHandler(composer: composer, outgoing: outgoing)),
                        BatchRoute(AlertClearedHandler(composer: composer, outgoing: outgoing)),
                        BatchRoute(StockHeldHandler(composer: composer, outgoing: outgoing)),
                        BatchRoute(OrderHeldHandler()),
                        BatchRoute(
                            ReportReadyHandler(
                                composer: composer, outgoing: outgoing,
                                recipients: configuration.addresses(of: configuration.reports.notify))),
                        BatchRoute(
                            ReconciliationHandler(
                                composer: composer, outgoing: outgoing,
                                recipients: configuration.addresses(of: configuration.reconciliation.to))),
                    ], parts: parts.runners),
                BatchRunner(
                    queue: ServiceCatalogue.deadLetterQueue,
                    routes: DeadLetterCommands.topics.map { BatchRoute(DeadLetterCommands(), type: $0) }
                        + [BatchRoute(MessageSettledHandler())], parts: parts.runners),
            ],
            work: [
                WorkRunner(
                    queue: ServiceCatalogue.mailQueue, concurrency: 2, routes: [WorkRoute(mail)], parts: parts.runners,
                    probe: mail.answers)
            ],
            loops: [
                HeldOrderDigest(parts: parts, composer: composer, outgoing: outgoing).run,
                ReplayRunner(parts: parts).run, RetentionLoop(LetterRetention.rules, parts: parts).run,
                RetentionLoop(MailRetention.rules, everySeconds: MailRetention.everySeconds, parts: parts).run,
                Watch(parts: parts, composer: composer, outgoing: outgoing, mail: mail).run,
            ] + ArchiverLoop.loops(parts),
            measurements: SystemMeasurements.all(parts))
    }
}
