import Contracts
import Crypto
import Domain
import Foundation

/// The digest that tells whether an order is another one than before: of its canonical form without the time of the
/// last change, which platforms move for reasons of their own.
enum OrderDigest {
    /// 64 hexadecimal digits.
    static func of(_ order: Order) throws -> String {
        var neutral = order
        neutral.updatedAt = Date(timeIntervalSince1970: 0)
        neutral.charges.removeAll { $0.kind == .rounding }
        return SHA256.hash(data: try ContractCoding.encode(neutral)).hexadecimal
    }
}

/// JSON as it stands in tables.
enum StoredJSON {
    static func text(_ value: some Encodable) throws -> String {
        String(decoding: try ContractCoding.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try ContractCoding.decode(type, from: Array(text.utf8))
    }
}
