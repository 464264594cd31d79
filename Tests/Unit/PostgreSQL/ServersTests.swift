import Testing

@testable import PostgreSQL

struct ServersTests {
    private let servers = ["a", "b", "c"].map { PostgresAddress(host: $0, port: 5432) }

    @Test func theServerThatWorkedLastComesFirstAndTheOthersInTheirOrder() {
        let preferred = PreferredServer()
        #expect(preferred.first(of: servers) == servers)
        preferred.worked(servers[1])
        #expect(preferred.first(of: servers).map(\.host) == ["b", "a", "c"])
        #expect(preferred.first(of: [servers[2]]).map(\.host) == ["c"])
    }

    @Test func copiesOfAConfigurationLookForThePrimaryTogether() {
        var configuration = PostgresConfiguration(host: "a", database: "d", user: "u", password: "hidden")
        configuration.furtherServers = [servers[1]]
        let copy = configuration
        configuration.preferred.worked(servers[1])
        #expect(copy.serversInOrder.map(\.host) == ["b", "a"])
        #expect(copy.description == "postgresql://u@a:5432,b:5432/d")
    }

    @Test func onlyASessionThatTakesWritesIsAskedFor() {
        let configuration = PostgresConfiguration(host: "a", database: "d", user: "u", password: "old")
        func value(_ takesWrites: Bool) -> String? {
            configuration.keywords(for: servers[1], takesWrites: takesWrites)
                .first { $0.keyword == "target_session_attrs" }?.value
        }
        #expect(value(true) == "read-write")
        #expect(value(false) == "any")
        #expect(configuration.keywords(for: servers[1]).first { $0.keyword == "host" }?.value == "b")
    }

    @Test func thePasswordIsAskedForAnew() {
        struct Gone: Error {}
        var configuration = PostgresConfiguration(host: "a", database: "d", user: "u", password: "old")
        configuration.renewedPassword = { "new" }
        #expect(configuration.presentPassword == "new")
        configuration.renewedPassword = { throw Gone() }
        #expect(configuration.presentPassword == "old")
    }

    @Test func libpqsReasonsLoseTheAddressAndGainWhatToDo() {
        let prefix = #"connection to server at "db" (10.0.0.1), port 5432 failed: "#
        #expect(ConnectionAdvice.reason(prefix + "Connection refused") == "Connection refused")
        #expect(
            ConnectionAdvice.reason(prefix + #"FATAL:  password authentication failed for user "u""#)
                == #"password authentication failed for user "u""#)
        #expect(
            ConnectionAdvice.reason(prefix + "session is read-only")
                == "session is read-only: it takes no writes, as a standby does, so promote it or bring the primary "
                + "back")
        #expect(ConnectionAdvice.reason("no answer") == "no answer")
    }

    @Test func ofANameWithTwoAddressesTheLastOneDecides() {
        let refused = """
            connection to server at "localhost" (::1), port 5432 failed: Connection refused
            \tIs the server running on that host and accepting TCP/IP connections?
            """
        let password =
            #"connection to server at "localhost" (127.0.0.1), port 5432 failed: FATAL:  password authentication "#
            + #"failed for user "u""#
        #expect(ConnectionAdvice.lastWord(refused + "\n" + password + "\n") == password)
        #expect(ConnectionAdvice.lastWord(refused + "\n").hasSuffix("Connection refused"))
        #expect(
            ConnectionAdvice.lastWord("could not translate host name \"db\" to address: unknown\nmore")
                == "could not translate host name \"db\" to address: unknown")
        #expect(ConnectionAdvice.lastWord("") == "no reason given")
    }

    @Test func whatAllServersSayIsOneReason() {
        let summary = ConnectionAdvice.summary([(servers[0], "refused"), (servers[1], "silent")])
        #expect(summary == "refused; nor to b:5432 (silent)")
        let error = PostgresError.connectionFailed(host: "a", port: 5432, detail: summary)
        #expect(
            error.description
                == "No connection to PostgreSQL at a:5432 (refused; nor to b:5432 (silent)). It is tried again on the "
                + "next use; check that the server runs and lets this role in.")
    }
}
