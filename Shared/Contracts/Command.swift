public import Foundation

/// `command.<service>.<verb>`: a wish. The answer is written to the command's row, found by its id.
///
/// One type for all verbs; what a verb's arguments mean is in docs/asyncapi.yaml, and its service checks them.
public struct Command: EventPayload, Hashable {
    /// The name and version. The topic differs with the service and the verb.
    public static let type = EventType("command", 1, 0)

    /// The command's row.
    public var commandID: UUID
    /// The service that is asked.
    public var service: ServiceName
    /// What is asked of it.
    public var verb: Verb
    /// The arguments by name.
    public var arguments: [String: JSONValue]
    /// Who asks: an operator's account name, or `schedule`.
    public var requestedBy: String
    /// When it was asked.
    public var requestedAt: Date

    /// A command.
    public init(
        commandID: UUID, service: ServiceName, verb: Verb, arguments: [String: JSONValue] = [:], requestedBy: String,
        requestedAt: Date
    ) {
        self.commandID = commandID
        self.service = service
        self.verb = verb
        self.arguments = arguments
        self.requestedBy = requestedBy
        self.requestedAt = requestedAt
    }

    /// `command.<service>.<verb>`.
    public var topic: String { Self.topic(service, verb) }

    /// `command.<service>.<verb>`.
    public static func topic(_ service: ServiceName, _ verb: Verb) -> String {
        "command.\(service.rawValue).\(verb.rawValue)"
    }

    /// What can be asked.
    public enum Verb: String, Sendable, Hashable, Codable, CaseIterable {
        /// Fetch stock now (stock-ingestor); push all shelves of a shop or of all (stock-publisher); collect orders
        /// (order-collector); make and send order reports (erp-bridge); reconcile (reconciler).
        case run
        /// Let a held snapshot through.
        case accept
        /// Keep a held snapshot from going live.
        case reject
        /// Send the present state again, for a consumer that came later.
        case republish
        /// Read a shop's catalogue.
        case catalogue
        /// Compute and compare, write nothing.
        case shadowOn = "shadow-on"
        /// Begin to write.
        case shadowOff = "shadow-off"
        /// Take units off sale.
        case holdAdd = "hold-add"
        /// Put units back on sale before their hold ends by itself.
        case holdEnd = "hold-end"
        /// Set or remove aliases of a shop.
        case mappingSet = "mapping-set"
        /// Replace a shop's aliases by those of a stored file.
        case mappingImport = "mapping-import"
        /// Let a shelf go on that was held after too many mismatches (stock-publisher); let a held order go although
        /// its cause stands (order-collector).
        case release
        /// Collect a shop's orders now, or one of them by its id.
        case collect
        /// Compare the last days' orders of a shop with ours, and fetch what differs (order-collector); push shelves
        /// again whose stock somebody saw to be different (stock-publisher).
        case repair
        /// Send a batch again under its own id.
        case resend
        /// Put an order into the next report although it was sent.
        case resendOrder = "resend-order"
        /// Mail what there is of the day's reconciliation.
        case mail
        /// Send dead letters again, as a job (notifier).
        case replay
        /// Let a replay job rest.
        case replayPause = "replay-pause"
        /// Let a replay job that rests or stopped itself go on.
        case replayResume = "replay-resume"
        /// End a replay job; what it has not sent stays a dead letter.
        case replayCancel = "replay-cancel"
        /// Close dead letters without sending them again.
        case archive
        /// Replace the body of a dead letter; the original is kept.
        case edit
    }

    /// The verbs that a service answers to.
    public static func verbs(of service: ServiceName) -> [Verb] {
        switch service {
        case .stockIngestor: [.run, .accept, .reject, .republish]
        case .stockPublisher:
            [
                .run, .catalogue, .shadowOn, .shadowOff, .holdAdd, .holdEnd, .mappingSet, .mappingImport, .release,
                .repair, .republish,
            ]
        case .orderCollector: [.run, .collect, .repair, .release, .republish]
        case .erpBridge: [.run, .resend, .resendOrder]
        case .reconciler: [.run, .mail]
        case .notifier: [.replay, .replayPause, .replayResume, .replayCancel, .archive, .edit]
        case .stockbridge: []
        }
    }

    private enum CodingKeys: String, CodingKey {
        case service, verb, arguments
        case commandID = "command_id"
        case requestedBy = "requested_by"
        case requestedAt = "requested_at"
    }
}

/// Any JSON value, for arguments whose meaning only the receiving service knows.
public enum JSONValue: Sendable, Hashable, Codable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A whole number.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    /// Text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// An object.
    case object([String: JSONValue])

    /// Reads any JSON value.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let boolean = try? value.decode(Bool.self) {
            self = .boolean(boolean)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }

    /// The text, if it is one.
    public var string: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    /// The whole number, if it is one.
    public var integer: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    /// The truth value, if it is one.
    public var boolean: Bool? {
        if case .boolean(let value) = self { return value }
        return nil
    }

    /// The list, if it is one.
    public var array: [JSONValue]? {
        if case .array(let values) = self { return values }
        return nil
    }

    /// The object, if it is one.
    public var object: [String: JSONValue]? {
        if case .object(let values) = self { return values }
        return nil
    }
}
