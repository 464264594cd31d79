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
        var durable: Bool
        var exclusive: Bool
        var arguments: [String: JSONValue]

        init(name: String, durable: Bool = true, exclusive: Bool = false, arguments: [String: JSONValue] = [:]) {
            self.name = name
            self.durable = durable
            self.exclusive = exclusive
            self.arguments = arguments
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            durable = try container.decodeIfPresent(Bool.self, forKey: .durable) ?? true
            exclusive = try container.decodeIfPresent(Bool.self, forKey: .exclusive) ?? false
            arguments = try container.decodeIfPresent([String: JSONValue].self, forKey: .arguments) ?? [:]
        }

        private enum CodingKeys: String, CodingKey { case name, durable, exclusive, arguments }
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
}
