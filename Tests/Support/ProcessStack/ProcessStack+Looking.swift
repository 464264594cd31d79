import Foundation
public import PostgreSQL
import RabbitMQ
import ShopSimulators
import Synchronization
import TestStack

/// `stockbridge status --json`, as far as tests look at it.
public struct SystemStatus: Decodable, Sendable {
    /// A shop with the counts of its newest run.
    public struct Shop: Decodable, Sendable {
        /// Its name.
        public let name: String
        /// Listings in all.
        public let listed: Int
        /// The six counts, in the order of the domain rules.
        public let confirmed, unchanged, deferred, unmapped, rejected, failed: Int
        /// Nothing is written.
        public let shadow: Bool

        /// The six counts together.
        public var sum: Int { confirmed + unchanged + deferred + unmapped + rejected + failed }
    }

    /// Mails that are to be sent.
    public struct Mails: Decodable, Sendable {
        /// How many wait.
        public let unsent: Int
        /// What the mail server said last.
        public let last_problem: String?
    }

    /// Something a person should look at.
    public struct Attention: Decodable, Sendable {
        /// What it is.
        public let what: String
        /// What to do about it.
        public let what_to_do: String
    }

    /// What waits for a service, and whether more replicas would help.
    public struct Service: Decodable, Sendable {
        /// Its name.
        public let service: String
        /// Those that are alive.
        public let replicas: Int
        /// Messages that nobody has taken; nil if the broker could not be asked.
        public let ready: Int?
        /// Messages begun a second.
        public let per_second: Double
        /// Until nothing waits any more.
        public let drain_seconds: Double?
        /// What is said about more replicas.
        public let advice: String?
    }

    /// Each shop of the configuration.
    public let shops: [Shop]
    /// Each service that runs.
    public let services: [Service]
    /// What is on its way to people.
    public let mails: Mails
    /// What needs a person.
    public let attention: [Attention]
}

/// A mail that notifier wrote.
public struct WrittenMail: Sendable {
    /// As in the header.
    public let messageID: String
    /// The subject.
    public let subject: String
    /// The plain text.
    public let text: String
    /// Whether the mail server has taken it, as far as notifier knows.
    public let isSent: Bool
}

extension ProcessStack {
    /// Waits for a condition.
    ///
    /// - Throws: ``ProcessStackProblem`` that names it if the time is over.
    public func wait(
        for what: String, within limit: Duration = .seconds(120), _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                throw ProcessStackProblem("Waited \(limit) in vain for \(what).")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// `stockbridge status --wait-for`.
    public func waitFor(_ goal: String) async throws {
        try await stockbridge("status", "--wait-for", goal, "--timeout", "120", "--json", expecting: [0, 3])
    }

    /// What the operator's tool says about the system.
    public func status() async throws -> SystemStatus {
        let result = try await stockbridge("status", "--json", expecting: [0, 3])
        do {
            return try JSONDecoder().decode(SystemStatus.self, from: Data(result.output.utf8))
        } catch {
            throw ProcessStackProblem(
                "'stockbridge status --json' is not what was expected: \(error)\n\(result.output)")
        }
    }

    // MARK: - Database

    /// Rows, read as the administrator.
    public func rows(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> Rows {
        try await pool().query(sql, parameters)
    }

    /// One number, read as the administrator.
    public func number(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> Int {
        guard let row = try await rows(sql, parameters).first else { return 0 }
        return try row.decode(at: 0)
    }

    /// The first column of all rows.
    public func texts(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> [String] {
        try await rows(sql, parameters).map { try $0.decode(at: 0) }
    }

    // MARK: - Mails

    /// What notifier wrote, oldest first.
    public func mails() async throws -> [WrittenMail] {
        let rows = try await rows(
            "SELECT message_id, subject, plain, sent_at IS NOT NULL FROM notifications.mails ORDER BY created_at")
        return try rows.map { row in
            WrittenMail(
                messageID: try row.decode(at: 0), subject: try row.decode(at: 1), text: try row.decode(at: 2),
                isSent: try row.decode(at: 3))
        }
    }

    /// The Message-ID of every mail that arrived, repetitions included.
    public func arrivedMessageIDs() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: mailDirectory.path())
        return names.filter { $0.hasSuffix(".eml") }.compactMap { name in
            let data = FileManager.default.contents(atPath: mailDirectory.appending(path: name).path()) ?? Data()
            let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
            let line = lines.first { $0.lowercased().hasPrefix("message-id:") }
            return line.map { $0.dropFirst("message-id:".count).trimmingCharacters(in: .whitespaces) }
        }
    }

    /// Waits for a mail that arrived and whose subject or text says this.
    public func mail(saying words: String) async throws -> WrittenMail {
        var found: WrittenMail?
        try await wait(for: "a mail that says '\(words)'") {
            let arrived = try arrivedMessageIDs()
            found = try await mails().first {
                ($0.subject.contains(words) || $0.text.contains(words)) && arrived.contains($0.messageID)
            }
            return found != nil
        }
        guard let found else { throw ProcessStackProblem("There is no mail that says '\(words)'.") }
        return found
    }

    // MARK: - Broker

    /// Messages that lie ready, by queue, of those queues that are not empty. What lies before a service that this test
    /// never started is left out.
    public func waitingMessages() async throws -> [String: Int] {
        var administrator = servers.broker
        administrator.virtualHost = name
        let session = TopologySession(administrator)
        var waiting: [String: Int] = [:]
        let started = children.withLock { Set($0.map(\.name)) }
        let absent = ["order-collector", "erp-bridge", "reconciler"].filter { !started.contains($0) }
        for queue in try await management.queues(of: name)
        where !queue.hasPrefix("test.") && !absent.contains(where: { queue == $0 || queue.hasPrefix($0 + ".") }) {
            let count = try await session.checkQueue(queue).messages
            if count > 0 { waiting[queue] = count }
        }
        await session.close()
        return waiting
    }

    /// Messages of the services' outboxes that were not published.
    public func unpublished() async throws -> Int {
        let schemas = ["stock", "publishing", "orders", "erp", "reconciliation", "notifications", "operations"]
        let counts = schemas.map { "(SELECT count(*) FROM \($0).outbox)" }.joined(separator: " + ")
        return try await number("SELECT (\(counts))::bigint")
    }

    /// Messages on their way now: those that lie in queues, those that a service holds and has not done, and those in
    /// outboxes.
    public func messagesInFlight() async throws -> Int {
        let schemas = ["stock", "publishing", "orders", "erp", "reconciliation", "notifications"]
        let counts = schemas.map { "(SELECT count(*) FROM \($0).inbox WHERE NOT done)" }.joined(separator: " + ")
        let held = try await number("SELECT (\(counts))::bigint")
        let waiting = try await waitingMessages().values.reduce(0, +)
        return try await unpublished() + waiting + held
    }

    // MARK: - Shops

    /// Shelves that do not show what they should, as sentences.
    public func wrongShelves(_ morning: Morning) -> [String] {
        shops.sorted { $0.key < $1.key }.flatMap { shop, simulator -> [String] in
            let (stock, expected) = (simulator.stock, morning.shops[shop])
            let wrong = (expected?.levels ?? [:]).filter { stock[$0.key] != $0.value }.map {
                "\(shop) \($0.key) shows \(stock[$0.key].map { "\($0)" } ?? "nothing") instead of \($0.value)"
            }
            let touched = (expected?.unmapped ?? []).filter { stock[$0.listing] != $0.stock }.map {
                "\(shop) \($0.listing) is not mapped and was changed from \($0.stock)"
            }
            return (wrong + touched).sorted()
        }
    }
}
