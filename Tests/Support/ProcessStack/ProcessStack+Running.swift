public import Foundation
import Synchronization
public import TestStack
import Transfer

/// What a command line tool said and how it ended.
public struct CommandResult: Sendable {
    /// Its exit code.
    public let status: Int32
    /// Standard output.
    public let output: String
    /// Standard error.
    public let errors: String

    /// Both, for a look at the sentences in them.
    public var text: String { output + errors }
}

extension ProcessStack {
    /// Starts a service and waits until it says that it is ready.
    ///
    /// - Parameter replica: Another one of a service that runs already gets another number, hence another log.
    @discardableResult
    public func start(_ service: String, replica: Int = 1) async throws -> ChildProcess {
        let child = try launch(
            named: Self.name(of: service, replica), executable: executable(service),
            ["--configuration", configuration(ofReplica: replica).path()])
        try await waitUntilReady(child)
        return child
    }

    /// Starts a service that dies by SIGKILL when it reaches a named point for the n-th time.
    public func startToDie(_ service: String, at point: String, times: Int) throws -> ChildProcess {
        try launch(
            named: "\(service)-dying", executable: Places.executable("fault-runner"),
            [service, "--configuration", configuration.path(), "--at", point, "--times", "\(times)"])
    }

    @discardableResult
    func launch(named name: String, executable: String, _ arguments: [String]) throws -> ChildProcess {
        let number = children.withLock { $0.count }
        let child = try ChildProcess(
            name: name, executable: executable, arguments: arguments,
            environment: environment, log: log("\(number)-\(name)"))
        children.withLock { $0.append(child) }
        return child
    }

    /// Of every process of this system.
    var environment: [String: String] {
        serverEnvironment.merging([
            "STOCKBRIDGE_CONFIGURATION": configuration.path(), "STOCKBRIDGE_CLOCK_OFFSET_FILE": clock.file.path(),
        ]) { _, own in own }
    }

    private func waitUntilReady(_ child: ChildProcess) async throws {
        try await wait(for: "\(child.name) to be ready", within: .seconds(90)) {
            if let status = child.exitStatus {
                throw ProcessStackProblem("\(child.name) ended with \(status):\n\(child.tail())")
            }
            return await isReady(child)
        }
    }

    private func isReady(_ child: ChildProcess) async -> Bool {
        await readiness(of: child, within: 5)?.status == 200
    }

    /// What a service answers when it is asked whether it can work; nil if it does not answer.
    private func readiness(of child: ChildProcess, within seconds: Double) async -> HTTPResponse? {
        guard let port = child.adminPort else { return nil }
        return try? await management.transfer.send(
            HTTPRequest(url: "http://127.0.0.1:\(port)/readyz", timeoutSeconds: seconds))
    }

    /// Waits until every service that is running says that it cannot work, and why.
    ///
    /// - Parameter reason: What each answer has to contain.
    public func waitUntilUnready(because reason: String) async throws {
        for child in children.withLock({ $0 }) where child.name != "mail" && child.isRunning {
            try await wait(for: "\(child.name) to say '\(reason)'", within: .seconds(240)) {
                // It asks its servers, each of which it gives some time.
                guard let answer = await readiness(of: child, within: 90), answer.status == 503 else { return false }
                return String(decoding: answer.body, as: UTF8.self).contains(reason)
            }
        }
    }

    /// Waits until every service that is running says again that it is ready.
    public func waitUntilReady() async throws {
        for child in children.withLock({ $0 }) where child.name != "mail" && child.isRunning {
            try await waitUntilReady(child)
        }
    }

    /// The services that run and say that they are not ready.
    public func unreadyServices() async -> [String] {
        var unready: [String] = []
        for child in children.withLock({ $0 }) where child.name != "mail" && child.isRunning {
            if await !isReady(child) { unready.append(child.name) }
        }
        return unready
    }

    /// The newest process of a service that is running.
    public func running(_ service: String, replica: Int = 1) throws -> ChildProcess {
        let name = Self.name(of: service, replica)
        guard let child = children.withLock({ $0.last { $0.name == name && $0.isRunning } }) else {
            throw ProcessStackProblem("\(name) is not running.")
        }
        return child
    }

    private static func name(of service: String, _ replica: Int) -> String {
        replica == 1 ? service : "\(service)-\(replica)"
    }

    /// Runs the operator's tool with this system's configuration.
    ///
    /// - Parameter expecting: The exit codes that are right: 3 says that something needs attention.
    @discardableResult
    public func stockbridge(_ arguments: String..., expecting: Set<Int32> = [0]) async throws -> CommandResult {
        try await stockbridge(arguments, expecting: expecting)
    }

    /// Runs the operator's tool with this system's configuration.
    @discardableResult
    public func stockbridge(_ arguments: [String], expecting: Set<Int32> = [0]) async throws -> CommandResult {
        let child = try ChildProcess(
            name: "stockbridge", executable: executable("stockbridge"), arguments: arguments,
            environment: environment, log: log("command-\(UUID().uuidString.prefix(8))"))
        let status = try await child.waitForExit(within: .seconds(240))
        let result = CommandResult(status: status, output: child.output, errors: child.errors)
        guard expecting.contains(status) else {
            throw ProcessStackProblem(
                "'stockbridge \(arguments.joined(separator: " "))' ended with \(status), expected was one of "
                    + "\(expecting.sorted()):\n\(result.text)")
        }
        return result
    }

    /// Runs an executable, with a configuration changed for it alone, until it ends by itself.
    ///
    /// - Parameter edits: Each text has to occur in the configuration.
    public func runUntilItEnds(
        _ executable: String, _ arguments: [String] = [], edits: [(String, String)] = []
    ) async throws -> CommandResult {
        var text = try String(contentsOf: configuration, encoding: .utf8)
        for (old, new) in edits {
            guard text.contains(old) else { throw ProcessStackProblem("The configuration does not say '\(old)'.") }
            text = text.replacing(old, with: new)
        }
        let name = "edited-\(UUID().uuidString.prefix(8))"
        let file = directory.appending(path: "\(name).yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        let child = try ChildProcess(
            name: executable, executable: Places.executable(executable),
            arguments: arguments + ["--configuration", file.path()], environment: environment, log: log(name))
        let status = try await child.waitForExit()
        return CommandResult(status: status, output: child.output, errors: child.errors)
    }

    /// The services of stock, those of orders too where a test is about them; every shop's catalogue read, mapped and
    /// let out of shadow.
    ///
    /// - Parameters:
    ///   - publishers: Replicas of stock-publisher.
    ///   - hasOrders: Orders are collected, reported and reconciled.
    public func open(publishers: Int = 1, hasOrders: Bool = false) async throws {
        for service in ["stock-ingestor", "notifier"] { try await start(service) }
        for replica in 1...publishers { try await start("stock-publisher", replica: replica) }
        if hasOrders {
            for service in ["order-collector", "erp-bridge", "reconciler"] { try await start(service) }
        }
        try await waitFor("catalogues")
        try await importMapping()
        for shop in shops.keys.sorted() { try await stockbridge("shadow", "off", shop, "--yes") }
    }

    /// The aliases of the shops that take part.
    public func importMapping() async throws {
        let lines = try String(contentsOf: morning.mapping, encoding: .utf8).split(separator: "\n")
        let ours = lines.prefix(1) + lines.dropFirst().filter { shops[String($0.prefix { $0 != "," })] != nil }
        guard ours.count > 1 else { return }
        let file = directory.appending(path: "mapping.csv")
        try (ours.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
        try await stockbridge("mapping", "import", file.path(), "--yes")
    }

    /// Delivers a file as an ERP does: written under another name, then renamed.
    public func deliver(_ content: Data, as name: String, into folder: String = "") throws {
        let place = folder.isEmpty ? incoming : incoming.appending(path: folder)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let part = place.appending(path: ".\(name).part")
        try content.write(to: part)
        let code = rename(part.path(), place.appending(path: name).path())
        guard code == 0 else { throw ProcessStackProblem("\(name) could not be delivered.") }
    }

    /// Delivers a morning's file.
    public func deliver(_ morning: Morning) throws {
        try deliver(try Data(contentsOf: morning.file), as: morning.file.lastPathComponent)
    }

    /// A copy of a morning's file in which most of the stock is gone, ten minutes younger.
    public func brokenFile(of morning: Morning) async throws -> URL {
        let output = try await Script.python(
            "infra/demo/change_stock.py", [morning.file.path(), directory.path(), "zero", "10"],
            log: log("change_stock"))
        return URL(filePath: output.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The same merchant on another day.
    ///
    /// - Parameter place: Which file after the first morning's it is, if not that day's own: each day moves one article
    ///   in twenty, so the stock of a far day in the next file moves nearly all shelves at once.
    public func day(_ number: Int, asFile place: Int? = nil) async throws -> Morning {
        let date = try Date(clock.date + "T00:00:00Z", strategy: .iso8601)
        let first = date.addingTimeInterval(Double((place ?? number) - number) * 86_400)
        return try await Morning.make(
            in: directory.appending(path: "morning-\(number)"), skus: plan.skus, seed: plan.seed, day: number,
            date: first.formatted(.iso8601.year().month().day()))
    }
}

extension ChildProcess {
    /// Where a service answers for its health and metrics, once its log says so.
    var adminPort: String? {
        errors.firstMatch(of: #/"message":"health and metrics","port":"(\d+)"/#).map { String($0.output.1) }
    }
}

/// The operator's tool without any system.
public enum Tool {
    /// Runs it with a configuration of this text.
    ///
    /// - Parameter name: The configuration file's name.
    public static func run(_ name: String, _ text: String, _ arguments: [String]) async throws -> CommandResult {
        let directory = FileManager.default.temporaryDirectory.appending(path: "stockbridge-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: name).path()
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let child = try ChildProcess(
            name: "stockbridge", executable: Places.executable("stockbridge"),
            arguments: arguments + ["--configuration", file], environment: ProcessInfo.processInfo.environment,
            log: directory.appending(path: "command").path())
        let status = try await child.waitForExit()
        return CommandResult(status: status, output: child.output, errors: child.errors)
    }
}
