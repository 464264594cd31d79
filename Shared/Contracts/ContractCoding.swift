internal import Domain
public import Foundation

/// How payloads are written and read: JSON with sorted snake_case keys, ISO 8601 times with `Z`, quantities as strings.
///
/// The same payload always gives the same bytes. Unknown fields are ignored, so minor versions mix.
public enum ContractCoding {
    /// The payload as JSON.
    ///
    /// - Throws: ``ContractError/unencodable(type:detail:)``, a defect: every payload can be written.
    public static func encode(_ payload: some Encodable) throws(ContractError) -> [UInt8] {
        do {
            return Array(try payloadEncoder.encode(payload))
        } catch {
            throw .unencodable(type: "\(type(of: payload))", detail: describe(error))
        }
    }

    /// The payload from JSON.
    ///
    /// - Throws: ``ContractError/undecodable(type:detail:)`` with the place, but without the value.
    public static func decode<Payload: Decodable>(
        _ type: Payload.Type = Payload.self, from bytes: [UInt8]
    ) throws(ContractError) -> Payload {
        do {
            return try payloadDecoder.decode(type, from: Data(bytes))
        } catch {
            throw .undecodable(type: "\(type)", detail: describe(error))
        }
    }

    // Made once: neither is changed after it was made, and every message passes through one of them.
    private static let payloadEncoder = encoder()
    private static let payloadDecoder = decoder()

    /// An encoder with these rules, for what is stored as JSON under the same ones.
    public static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(UTCTimestamp.format(date))
        }
        return encoder
    }

    /// A decoder with these rules.
    public static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            guard let date = UTCTimestamp.parse(try container.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an ISO 8601 time with Z")
            }
            return date
        }
        return decoder
    }

    /// Foundation's sentences about values that do not fit quote them, of any length.
    private static func withoutValue(_ sentence: String) -> String {
        if sentence.hasPrefix("Cannot initialize") { return "not one of the known words" }
        if sentence.hasPrefix("Number ") || sentence.hasPrefix("Parsed JSON number") { return "not a number that fits" }
        return String(sentence.prefix(120))
    }

    /// Where it went wrong and what was expected; never the value, which may be personal.
    private static func describe(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            let names = path.suffix(8).map { $0.intValue.map(String.init) ?? String($0.stringValue.prefix(40)) }
            return names.isEmpty ? "the top" : names.joined(separator: ".")
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "\(key.stringValue) is missing at \(place(context.codingPath))"
        case DecodingError.typeMismatch(let type, let context):
            return "\(place(context.codingPath)) is not \(type)"
        case DecodingError.valueNotFound(let type, let context):
            return "\(place(context.codingPath)) is null instead of \(type)"
        case DecodingError.dataCorrupted(let context):
            return "\(place(context.codingPath)): \(withoutValue(context.debugDescription))"
        case EncodingError.invalidValue(_, let context):
            return "\(place(context.codingPath)) cannot be written"
        default:
            return "unknown trouble"
        }
    }
}

/// A payload that is not what its type says.
public enum ContractError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The bytes are not such a payload: the sender is at fault, and no repetition helps.
    case undecodable(type: String, detail: String)
    /// The payload cannot be written: a defect of ours.
    case unencodable(type: String, detail: String)

    /// What happened, to what, and what to do.
    public var description: String {
        switch self {
        case .undecodable(let type, let detail):
            "The message is not a valid \(type): \(detail). It was not applied; compare it with docs/asyncapi.yaml."
        case .unencodable(let type, let detail):
            "A \(type) could not be written as JSON: \(detail). Nothing was sent; this is a defect, please report it."
        }
    }
}

extension KeyedEncodingContainer {
    /// Lower-case, as PostgreSQL writes ids, so that one search finds an id in tables, logs and messages. The encoding
    /// that the compiler writes for this module's payloads picks this up.
    mutating func encode(_ id: UUID, forKey key: Key) throws {
        try encode(id.uuidString.lowercased(), forKey: key)
    }
}
