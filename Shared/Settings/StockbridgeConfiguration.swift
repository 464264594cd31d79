public import Domain
public import Foundation

/// What `stockbridge.yaml` says, checked and with every default filled in.
///
/// Only ``ConfigurationLoader`` makes one, so whoever holds it holds a configuration without a known problem. Property
/// names are the file's keys in camelCase; durations and sizes carry their unit at the end of the name. Secrets are
/// references (``SecretReference``) until a service resolves them.
public struct StockbridgeConfiguration: Sendable {
    /// The merchant's name, as people read it in mails and reports.
    public let company: String
    /// The company's time zone, and the default of every schedule.
    public let timeZone: TimeZone
    /// Where RabbitMQ is and how to talk to it.
    public let broker: Broker
    /// Where PostgreSQL is and how to talk to it.
    public let database: Database
    /// The accounts that `stockbridge migrate` and `stockbridge topology apply` use; nil where the file has none.
    public let admin: Administration?
    /// Where the services answer for their health and metrics.
    public let http: HTTP
    /// Where order-collector listens for what shops tell it.
    public let webhooks: Webhooks
    /// The server that takes mails to people.
    public let mail: Mail
    /// Groups of people with their addresses, in the file's order.
    public let people: [PeopleGroup]
    /// Where stock comes from, in the file's order; at least one.
    public let sources: [Source]
    /// The warehouses whose stock counts, in the file's order; at least one.
    public let warehouses: [Warehouse]
    /// The shops that stock goes to, in the file's order; at least one.
    public let shops: [Shop]
    /// Where order reports go, and when the ERP's numbers contain what we told it.
    public let erp: ERP
    /// The daily comparison of what should be with what is.
    public let reconciliation: Reconciliation
    /// Who is told about order reports.
    public let reports: Reports
    /// How failed messages are tried again.
    public let retry: Retry
    /// Who hears about conditions that need a person.
    public let alerts: Alerts
    /// Named settings that weaken protection, or look like a mistake without being one. A service logs each at start.
    public let warnings: [Warning]
    /// The path that the file was loaded from.
    public let file: String
    /// The line of every setting by its path, for complaints that come later.
    let lines: [String: Int]
    /// Every effective value in the file's shape: what ``redactedDump(_:)`` prints.
    let effective: SettingsValue

    /// The shop of that name, if there is one.
    public func shop(named name: ShopName) -> Shop? { shops.first { $0.name == name } }

    /// The source of that name, if there is one.
    public func source(named name: SourceName) -> Source? { sources.first { $0.name == name } }

    /// The warehouse of that name, if there is one.
    public func warehouse(named name: WarehouseName) -> Warehouse? { warehouses.first { $0.name == name } }

    /// The e-mail addresses of the named groups, each once, in the file's order.
    public func addresses(of groups: [String]) -> [String] {
        var seen: Set<String> = []
        return people.filter { groups.contains($0.name) }.flatMap(\.addresses).filter { seen.insert($0).inserted }
    }
}

extension StockbridgeConfiguration {
    /// `people.<name>`: some people and their addresses.
    public struct PeopleGroup: Sendable, Hashable {
        /// The group's name; `alerts.to` refers to it.
        public let name: String
        /// E-mail addresses, at least one.
        public let addresses: [String]
    }

    /// An entry of `warehouses`.
    public struct Warehouse: Sendable, Hashable {
        /// The name as stock files write it.
        public let name: WarehouseName
        /// Units of each SKU that are never offered (domain.md section 2: `warehouse_safety`); 0 or more.
        public let safety: Quantity
    }

    /// `alerts`: who is told, and of what.
    public struct Alerts: Sendable, Hashable {
        /// Names of groups in `people`; at least one.
        public let to: [String]
        /// From when on the system tells about itself.
        public let limits: AlertLimits
    }

    /// One thing that a person should know about the configuration although it works.
    public struct Warning: Sendable, Hashable, CustomStringConvertible {
        /// The line in the file, from 1.
        public let line: Int
        /// The setting, such as `broker.tls.enabled`.
        public let path: String
        /// A sentence that says what follows from the setting and how to change it.
        public let message: String

        /// The setting and the sentence.
        public var description: String { "\(path): \(message)" }
    }
}
