import Contracts
import Foundation

/// What a broker holds in one virtual host, as its management API tells it.
struct LiveTopology: Sendable, Equatable {
    struct Exchange: Sendable, Equatable, Decodable {
        var name: String
        var type: String
        var durable: Bool
        var arguments: [String: JSONValue]
    }

    struct Queue: Sendable, Equatable, Decodable {
        var name: String
        /// `quorum`, `classic` or `stream`; nil where the broker does not say.
        var type: String?
        var durable: Bool
        var exclusive: Bool
        var arguments: [String: JSONValue]
        /// The names of the policies that apply to it.
        var policy: String?
        var operatorPolicy: String?
        /// Nil where the broker has not counted yet.
        var consumers: Int?
        var messages: Int?

        init(name: String, durable: Bool = true, exclusive: Bool = false, arguments: [String: JSONValue] = [:]) {
            self.name = name
            self.durable = durable
            self.exclusive = exclusive
            self.arguments = arguments
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            type = try container.decodeIfPresent(String.self, forKey: .type)
            durable = try container.decodeIfPresent(Bool.self, forKey: .durable) ?? true
            exclusive = try container.decodeIfPresent(Bool.self, forKey: .exclusive) ?? false
            arguments = try container.decodeIfPresent([String: JSONValue].self, forKey: .arguments) ?? [:]
            // An empty text is how some versions say "none".
            policy = try container.decodeIfPresent(String.self, forKey: .policy).flatMap { $0.isEmpty ? nil : $0 }
            operatorPolicy = try container.decodeIfPresent(String.self, forKey: .operatorPolicy)
                .flatMap { $0.isEmpty ? nil : $0 }
            consumers = try container.decodeIfPresent(Int.self, forKey: .consumers)
            messages = try container.decodeIfPresent(Int.self, forKey: .messages)
        }

        private enum CodingKeys: String, CodingKey {
            case name, type, durable, exclusive, arguments, policy, consumers, messages
            case operatorPolicy = "operator_policy"
        }
    }

    /// What an administrator set for queues by their names; an operator policy wins over a queue's arguments.
    struct Policy: Sendable, Equatable, Decodable {
        var name: String
        var definition: [String: JSONValue]
    }

    struct Node: Sendable, Equatable, Decodable {
        var name: String
        var isRunning = true
        var memoryAlarm = false
        var diskAlarm = false
        /// Nodes that it has lost sight of.
        var partitions: [String] = []

        init(name: String) { self.name = name }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            isRunning = try container.decodeIfPresent(Bool.self, forKey: .isRunning) ?? true
            memoryAlarm = try container.decodeIfPresent(Bool.self, forKey: .memoryAlarm) ?? false
            diskAlarm = try container.decodeIfPresent(Bool.self, forKey: .diskAlarm) ?? false
            partitions = try container.decodeIfPresent([String].self, forKey: .partitions) ?? []
        }

        private enum CodingKeys: String, CodingKey {
            case name, partitions
            case isRunning = "running"
            case memoryAlarm = "mem_alarm"
            case diskAlarm = "disk_free_alarm"
        }
    }

    struct Binding: Sendable, Hashable, Decodable {
        var source: String
        var destination: String
        /// `queue` or `exchange`.
        var destinationType: String
        var routingKey: String

        enum CodingKeys: String, CodingKey {
            case source, destination
            case destinationType = "destination_type"
            case routingKey = "routing_key"
        }
    }

    struct Permission: Sendable, Equatable, Decodable {
        var user: String
        var configure: String
        var write: String
        var read: String
    }

    struct TopicPermission: Sendable, Equatable, Decodable {
        var user: String
        var exchange: String
        var write: String
        var read: String
    }

    /// A user of ours, as far as it is there.
    enum UserState: Sendable, Equatable {
        case absent
        /// It exists, but the password in the configuration's secret does not let it in.
        case otherPassword
        case ready
    }

    var version: String
    var virtualHostExists: Bool
    var exchanges: [Exchange] = []
    var queues: [Queue] = []
    var bindings: [Binding] = []
    var users: [String: UserState] = [:]
    var permissions: [Permission] = []
    var topicPermissions: [TopicPermission] = []
    /// Feature flags that the broker knows and has turned off.
    var disabledFeatures: [String] = []
    var policies: [Policy] = []
    var operatorPolicies: [Policy] = []
    var nodes: [Node] = []
}
