import Contracts
public import Foundation
public import Messaging
import PostgreSQL

/// How a command ended.
public enum CommandState: String, Sendable {
    /// Carried out.
    case done
    /// A rule forbids it; nothing was changed.
    case refused
    /// It could not be carried out; the message is in the dead letters.
    case failed
}

extension UnitOfWork {
    /// Writes the answer to a command's row in this transaction. The first final answer stands.
    ///
    /// - Parameter answer: Encoded as JSON; what the operator is shown.
    public func answer(_ id: UUID, _ state: CommandState, _ answer: some Encodable & Sendable) throws {
        let text = String(decoding: try ContractCoding.encoder().encode(answer), as: UTF8.self)
        try transaction.execute(
            "SELECT shared.answer_command($1, $2, $3)", [.uuid(id), .text(state.rawValue), .text(text)])
    }
}

/// An answer that is one sentence.
public struct CommandMessage: Codable, Sendable, Equatable {
    /// The sentence.
    public let message: String
    /// Takes the sentence.
    public init(_ message: String) { self.message = message }
}
