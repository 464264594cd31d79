import ArgumentParser
import ERPBridge
import Foundation
import Messaging
import Notifier
import OrderCollector
import Reconciler
import ServiceKit
import Settings
import StockIngestor
import StockPublisher
import Synchronization

/// Runs one service as its executable does, and kills it at its weakest moment. Test equipment.
@main
struct FaultRunner: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fault-runner",
        abstract: "Runs a service that dies by SIGKILL when it reaches a named point for the n-th time.",
        discussion: "Example: fault-runner stock-publisher --configuration F --at after-http-before-commit --times 2")

    @Argument(help: "The service: stock-ingestor, order-collector, ...") var service: String
    @Option(name: .customLong("configuration"), help: "Path of stockbridge.yaml.") var path: String
    @Option(help: "The point: \(FaultPoint.allCases.map(\.rawValue).joined(separator: ", ")).") var at: String
    @Option(help: "The how manieth time is the last.") var times = 1

    func validate() throws {
        if FaultPoint(rawValue: at) == nil { throw ValidationError("There is no point '\(at)'.") }
        if times < 1 { throw ValidationError("--times is 1 or more.") }
    }

    func run() async throws {
        let settings = try ConfigurationLoader.load(path: path)
        let faults = Self.death(at: at, times: times)
        let clock = ProcessClock.wall
        switch service {
        case "stock-ingestor":
            try await StockIngestorService(configuration: settings, faults: faults, clock: clock).run()
        case "stock-publisher":
            try await StockPublisherService(configuration: settings, faults: faults, clock: clock).run()
        case "order-collector":
            try await OrderCollectorService(configuration: settings, faults: faults, clock: clock).run()
        case "erp-bridge": try await ERPBridgeService(configuration: settings, faults: faults, clock: clock).run()
        case "reconciler": try await ReconcilerService(configuration: settings, faults: faults, clock: clock).run()
        case "notifier": try await NotifierService(configuration: settings, faults: faults, clock: clock).run()
        default: throw ValidationError("There is no service '\(service)'.")
        }
        ProcessEnd.now(0)
    }

    private static func death(at point: String, times: Int) -> FaultInjection {
        let reached = Counter()
        return FaultInjection { here in
            guard here.rawValue == point, reached.increase() == times else { return }
            kill(getpid(), SIGKILL)
            // The signal takes effect before this returns; nothing may happen behind the point.
            while true { pause() }
        }
    }
}

/// Counts from any thread.
private final class Counter: Sendable {
    private let count = Mutex(0)

    func increase() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
