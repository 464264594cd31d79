import Foundation
import TestStack
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    /// A server's own TLS, with a private authority, in good and in bad order.
    struct TLS {
        @Test func aPrivateAuthorityIsTrustedWhereItIsNamed() async throws {
            try await Self.withSecureDatabase { database, authority in
                for host in ["localhost", "127.0.0.1"] {
                    let connection = PostgresConnection(database.secure(authority.file, host: host))
                    let row = try await connection.query(
                        "SELECT ssl AND version >= 'TLSv1.2' AS good FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                    #expect(try row[0].decode("good"))
                    await connection.close()
                }
            }
        }

        @Test func whatIsWrongWithACertificateIsSaidInOneSentence() async throws {
            try await Self.withSecureDatabase { database, authority in
                let stranger = try await TestAuthority()
                defer { stranger.remove() }
                let untrusted = "certificate verify failed: the server's certificate has expired or is not from an"
                try await Self.refused(database.secure(stranger.file), untrusted)
                try await Self.refused(
                    database.secure("/nowhere/ca.pem"), "correct the path or the mode of the CA file")
                let expired = try await authority.issue("expired", days: -1, to: PrivateDatabase.account)
                try await Self.present(expired, at: database)
                try await Self.refused(database.secure(authority.file), untrusted)
                let other = try await authority.issue(
                    "other", names: "DNS:elsewhere.example", to: PrivateDatabase.account)
                try await Self.present(other, at: database)
                try await Self.refused(
                    database.secure(authority.file), "connect by a name that the server's certificate carries")
            }
        }

        @Test func aServerWithOldTLSOrNoneIsRefused() async throws {
            try await Self.withSecureDatabase { database, authority in
                try await database.set(
                    ["ssl_min_protocol_version": "TLSv1", "ssl_max_protocol_version": "TLSv1.1"])
                try await Self.refused(database.secure(authority.file), "the server speaks no TLS 1.2 or newer")
                try await database.set(["ssl": "off"])
                try await Self.refused(database.secure(authority.file), "turn TLS on at the server (ssl = on)")
            }
        }

        @Test func aServerThatWantsTLSSaysSoToWhoComesInTheClear() async throws {
            try await Self.withSecureDatabase { database, authority in
                let rules = Data("hostssl all all 127.0.0.1/32 scram-sha-256\n".utf8)
                let secure = PostgresConnection(database.secure(authority.file, host: "127.0.0.1"))
                try await secure.open()
                try rules.write(to: database.data.appending(path: "pg_hba.conf"))
                try await secure.script("SELECT pg_reload_conf()")
                try await eventually {
                    (try? await PostgresConnection(database.configuration).open()) == nil
                }
                try await Self.refused(database.configuration, "the server wants TLS, so turn it on")
                await secure.close()
            }
        }

        private static func withSecureDatabase(
            _ body: (PrivateDatabase, TestAuthority) async throws -> Void
        ) async throws {
            let authority = try await TestAuthority()
            defer { authority.remove() }
            try await PrivateDatabase.with { database, _ in
                try await present(authority.issue("good", to: PrivateDatabase.account), at: database)
                try await body(database, authority)
            }
        }

        private static func present(_ certificate: TestAuthority.Certificate, at database: PrivateDatabase) async throws
        {
            try await database.set(
                ["ssl": "on", "ssl_cert_file": certificate.file, "ssl_key_file": certificate.key])
        }

        private static func refused(
            _ configuration: PostgresConfiguration, _ advice: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let error = await postgresError(sourceLocation: sourceLocation) {
                try await PostgresConnection(configuration).open()
            }
            let sentence = error?.description ?? ""
            #expect(error?.label == "connection_failed", sourceLocation: sourceLocation)
            #expect(sentence.contains(advice), "\(sentence)", sourceLocation: sourceLocation)
            #expect(!sentence.contains("check that the server runs"), "\(sentence)", sourceLocation: sourceLocation)
            #expect(!sentence.contains("secret"), sourceLocation: sourceLocation)
        }
    }
}
