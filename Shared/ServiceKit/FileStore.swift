public import Contracts
public import Foundation
public import Messaging
import PostgreSQL

extension UnitOfWork {
    /// Keeps a file, byte for byte; the same id again changes nothing.
    ///
    /// - Parameter digest: SHA-256 in lower-case hexadecimal.
    public func storeFile(id: UUID, service: ServiceName, name: String, digest: String, content: [UInt8]) throws {
        try transaction.execute(
            "SELECT shared.store_file($1, $2, $3, $4, $5)",
            [.uuid(id), .text(service.rawValue), .text(name), .text(digest), .bytes(content)])
    }
}
