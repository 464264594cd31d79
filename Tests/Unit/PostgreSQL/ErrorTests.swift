import Testing

@testable import PostgreSQL

struct ErrorTests {
    @Test(arguments: [
        ("22P02", #"invalid input syntax for type integer: "a"b""#, "invalid input syntax for type integer"),
        ("22003", #"value "9" is out of range for type integer"#, "value (value) is out of range for type integer"),
        ("22021", #"invalid byte sequence for encoding "UTF8": 0xe1"#, "invalid byte sequence for encoding (value)"),
        ("22012", "division by zero", "division by zero"),
        ("22P04", #"missing data for column "units""#, #"missing data for column "units""#),
        ("23505", #"duplicate key value violates "k""#, #"duplicate key value violates "k""#),
    ])
    func messagesAreKeptWithoutTheirData(_ sqlState: String, _ message: String, _ expected: String) {
        #expect(PostgresServerError.redacted(message, sqlState: sqlState) == expected)
    }

    @Test(arguments: [
        ("40001", true), ("40P01", true), ("53300", true), ("55P03", true), ("57014", true), ("57P01", true),
        ("08006", true),
        ("23505", false), ("42501", false), ("42P01", false), ("22P02", false), ("55000", false),
    ])
    func whatMayPassByItselfIsTransient(_ sqlState: String, _ isTransient: Bool) {
        #expect(PostgresError.server(PostgresServerError(sqlState: sqlState, message: "")).isTransient == isTransient)
    }

    @Test func lossesAreTransientAndMistakesAreNot() {
        #expect(PostgresError.connectionFailed(host: "h", port: 1, detail: "").isTransient)
        #expect(PostgresError.connectionLost(detail: "").isTransient)
        #expect(PostgresError.commitOutcomeUnknown(detail: "").isTransient)
        #expect(!PostgresError.noSuchColumn("x").isTransient)
        #expect(!PostgresError.poolClosed.isTransient)
    }
}

struct ConfigurationTests {
    @Test func anAddressIsTakenApart() throws {
        let configuration = try #require(PostgresConfiguration(url: "postgresql://me:p%40ss@db.example:6000/stock"))
        #expect(configuration.host == "db.example")
        #expect(configuration.port == 6000)
        #expect(configuration.user == "me")
        #expect(configuration.password == "p@ss")
        #expect(configuration.database == "stock")
        #expect(PostgresConfiguration(url: "mysql://me@host/x") == nil)
    }

    @Test func nothingPrintedContainsThePassword() {
        let configuration = PostgresConfiguration(host: "h", database: "d", user: "u", password: "hidden")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hidden"))
        }
    }

    @Test func theSearchPathIsQuotedAndEscaped() {
        let configuration = PostgresConfiguration(
            host: "h", database: "d", user: "u", password: "", searchPath: ["stock", "My \"own\" \\ one"])
        let server = PostgresAddress(host: "h", port: 5432)
        let options = configuration.keywords(for: server).first { $0.keyword == "options" }?.value
        #expect(options?.hasSuffix(#"-c search_path="stock","My\ ""own""\ \\\ one""#) == true)
    }

    @Test func encryptionIsEitherOffOrVerified() {
        var configuration = PostgresConfiguration(host: "h", database: "d", user: "u", password: "")
        func value(_ keyword: String) -> String? {
            configuration.keywords(for: PostgresAddress(host: "h", port: 5432)).first { $0.keyword == keyword }?.value
        }
        #expect(value("sslmode") == "disable")
        configuration.tls = .verifyFull(caFile: "/ca.pem")
        #expect(value("sslmode") == "verify-full")
        #expect(value("sslrootcert") == "/ca.pem")
        #expect(value("ssl_min_protocol_version") == "TLSv1.2")
    }
}
