import Foundation
import PostgreSQL
import ProcessStack
import TestStack
import Testing

/// What happens to the servers while all services work.
enum ServerFault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case brokerKilled = "kill -9 of the broker, and a restart"
    case brokerAlarm = "memory alarm of the broker"
    case brokerConnectionsClosed = "connections closed by the broker"
    case databaseRestarted = "immediate restart of PostgreSQL"
    case databaseConnectionsLost = "connections to PostgreSQL lost within transactions"
    case databaseDiskFull = "PostgreSQL's disk full"
    case connectionsHalfOpen = "half-open connections to broker and PostgreSQL"
    case relaysStopped = "all traffic to broker and PostgreSQL stopped for 50 s"

    /// All that `make test` has the time for.
    static let short: [ServerFault] = [.brokerKilled, .databaseRestarted, .databaseDiskFull, .connectionsHalfOpen]

    var testDescription: String { rawValue }

    /// Does it, and then what an operator does about it; the services are left alone.
    ///
    /// - Returns: How many faults that were.
    func inject(into round: ServerFaultRound, _ dice: inout Dice) async throws -> Int {
        let servers = round.servers
        switch self {
        case .brokerKilled:
            try await servers.killBroker()
            try await round.stack.wait(for: "a service to say that the broker is away", within: .seconds(60)) {
                await !round.stack.unreadyServices().isEmpty
            }
            try await round.load.outage(&dice)
            try await servers.start()
            return 1
        case .brokerAlarm: return try await alarm(round, &dice)
        case .brokerConnectionsClosed: return try await closeConnections(round, &dice)
        case .databaseRestarted:
            try await servers.stopDatabaseImmediately()
            try await round.load.outage(&dice)
            try await servers.start()
            return 1
        case .databaseConnectionsLost: return try await terminate(round, &dice)
        case .databaseDiskFull: return try await fillDisk(round, &dice)
        case .connectionsHalfOpen:
            try await servers.brokerRelay.forgetConnections()
            try await servers.databaseRelay.forgetConnections()
            try round.load.buy(2, &dice)
            return 1
        case .relaysStopped:
            servers.brokerRelay.freeze()
            servers.databaseRelay.freeze()
            defer {
                servers.brokerRelay.resume()
                servers.databaseRelay.resume()
            }
            try round.load.buy(2, &dice)
            // Longer than any client waits. The time is the fault: nothing is waited for.
            try await Task.sleep(for: .seconds(50))
            return 1
        }
    }

    /// The broker takes nothing until it has memory again.
    private func alarm(_ round: ServerFaultRound, _ dice: inout Dice) async throws -> Int {
        try await round.servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")
        do {
            try round.load.buy(3, &dice)
            try await round.stack.wait(for: "a service to say that the broker takes nothing", within: .seconds(60)) {
                await !round.stack.unreadyServices().isEmpty
            }
            try await round.load.outage(&dice)
        } catch {
            try await round.servers.rabbitmqctl("set_vm_memory_high_watermark", "0.4")
            throw error
        }
        try await round.servers.rabbitmqctl("set_vm_memory_high_watermark", "0.4")
        return 1
    }

    /// Three times, those of all services or those of one.
    private func closeConnections(_ round: ServerFaultRound, _ dice: inout Dice) async throws -> Int {
        for _ in 1...3 {
            let target = dice.roll(BusinessLoad.services.count + 1)
            if target < BusinessLoad.services.count {
                let service = BusinessLoad.services[target]
                try await round.servers.rabbitmqctl("close_all_user_connections", service, "a test")
            } else {
                try await round.servers.rabbitmqctl("close_all_connections", "--vhost", round.stack.name, "a test")
            }
            try round.load.buy(1, &dice)
        }
        return 3
    }

    /// Backends that do something are ended, until there were eight, or twenty seconds are over.
    private func terminate(_ round: ServerFaultRound, _ dice: inout Dice) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(20)
        var terminated = 0
        while terminated < 8, ContinuousClock.now < deadline {
            if dice.roll(10) == 0 { try round.load.buy(1, &dice) }
            terminated += try await round.stack.number(
                """
                SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = $1 AND usename <> 'postgres' AND xact_start IS NOT NULL
                """, [.text(round.stack.name)])
            try await Task.sleep(for: .milliseconds(10 + dice.roll(60)))
        }
        return terminated
    }

    /// Until PostgreSQL has met it, and a little longer. What is full may be what it writes last, the log of
    /// transactions: then it ends itself and is started again.
    private func fillDisk(_ round: ServerFaultRound, _ dice: inout Dice) async throws -> Int {
        let servers = round.servers
        let complaint = "No space left on device"
        let before = servers.databaseLog.components(separatedBy: complaint).count
        try servers.fillDisk()
        do {
            try round.load.buy(3, &dice)
            try await round.stack.wait(for: "PostgreSQL to meet the end of its disk", within: .seconds(60)) {
                // Where everything fits into pages that are there, a new piece of the log does not.
                _ = try? await round.stack.rows("SELECT pg_switch_wal()")
                return servers.databaseLog.components(separatedBy: complaint).count > before
            }
            try await round.load.outage(&dice)
        } catch {
            servers.freeDisk()
            throw error
        }
        servers.freeDisk()
        try await servers.start()
        return 1
    }
}
