public import Foundation
public import PostgreSQL

/// Questions about dead letters that more than one program asks.
public enum LetterQueries {
    /// The kinds of failures among the letters that a filter takes, the most frequent first.
    ///
    /// Rows as ``LetterGroup/init(_:)`` reads them. Shops are grouped before they are counted, since counting distinct
    /// values sorts every letter, and only the newest letter of each kind is fetched for its sentence.
    public static func groups(_ filter: LetterFilter) -> Statement {
        let (condition, parameters) = filter.condition()
        return Statement(
            """
            WITH by_shop AS (
                SELECT l.service, l.topic, l.fingerprint, l.error_code, l.shop, count(*) AS letters,
                    min(l.failed_at) AS first_failed_at, max(l.failed_at) AS last_failed_at, max(l.id) AS newest
                FROM dead_letters.letters l WHERE \(condition)
                GROUP BY l.service, l.topic, l.fingerprint, l.error_code, l.shop
            ), kinds AS (
                SELECT service, topic, fingerprint, error_code, sum(letters)::bigint AS letters, count(shop) AS shops,
                    min(first_failed_at) AS first_failed_at, max(last_failed_at) AS last_failed_at,
                    max(newest) AS newest
                FROM by_shop GROUP BY service, topic, fingerprint, error_code
            )
            SELECT k.service, k.topic, k.fingerprint, k.error_code, k.letters, k.shops, k.first_failed_at,
                k.last_failed_at, k.newest, e.error_message
            FROM kinds k JOIN dead_letters.letters e ON e.id = k.newest
            ORDER BY k.letters DESC, k.service, k.fingerprint, k.topic, k.error_code
            """, parameters)
    }
}

/// One kind of failure and how much of it there is.
public struct LetterGroup: Sendable, Hashable, Codable {
    /// The service that failed.
    public var service: String
    /// The topic or kind of work; nil for messages that name none.
    public var topic: String?
    /// The kind of error.
    public var fingerprint: String
    /// The error's code.
    public var errorCode: String
    /// How many letters are of this kind.
    public var letters: Int
    /// How many shops they are about.
    public var shops: Int
    /// When the first of them failed for good.
    public var firstFailedAt: Date
    /// When the last of them failed for good.
    public var lastFailedAt: Date
    /// The youngest letter of the kind.
    public var newest: Int64
    /// What the youngest one says went wrong.
    public var errorMessage: String

    /// Reads a row of ``LetterQueries/groups(_:)``.
    ///
    /// - Throws: If the row is of another query.
    public init(_ row: Row) throws(PostgresError) {
        service = try row.decode("service")
        topic = try row.decode("topic")
        fingerprint = try row.decode("fingerprint")
        errorCode = try row.decode("error_code")
        letters = try row.decode("letters")
        shops = try row.decode("shops")
        firstFailedAt = try row.decode("first_failed_at")
        lastFailedAt = try row.decode("last_failed_at")
        newest = try row.decode("newest")
        errorMessage = try row.decode("error_message")
    }

    private enum CodingKeys: String, CodingKey {
        case service, topic, fingerprint, letters, shops, newest
        case errorCode = "error_code"
        case firstFailedAt = "first_failed_at"
        case lastFailedAt = "last_failed_at"
        case errorMessage = "error_message"
    }
}
