import Foundation
import PostgreSQL
public import TestStack

extension PrivateServers {
    /// Lets broker, management API and database speak TLS besides, on ports of their own where they need one.
    ///
    /// - Returns: What makes the demo's configuration use it, as changes for a ``StackPlan``. Each comes second in a
    ///   list whose first server is not there.
    public func offerTLS(_ authority: TestAuthority) async throws -> [(String, String)] {
        try await offerTLSAtDatabase(authority.issue("database", to: "postgres"))
        let certificate = try await authority.issue("broker", to: "rabbitmq")
        let (port, managementPort) = (try freePort(), try freePort())
        let options = """
            {cacertfile, "\(authority.file)"}, {certfile, "\(certificate.file)"}, {keyfile, "\(certificate.key)"}
            """
        // The management plugin looks for its listeners when it starts.
        try await rabbitmqctl(
            "eval",
            """
            application:set_env(rabbitmq_management, ssl_config,
                [{port, \(managementPort)}, {ip, {127, 0, 0, 1}}, \(options)]).
            """)
        try await rabbitmqctl("stop_app")
        try await rabbitmqctl("start_app")
        try await rabbitmqctl(
            "eval",
            """
            rabbit_networking:ensure_ssl(),
            rabbit_networking:start_ssl_listener({"127.0.0.1", \(port)}, [\(options)], 1).
            """)
        let plain = try number(of: "STOCKBRIDGE_TEST_BROKER", in: environmentOfServices)
        let database = try number(of: "STOCKBRIDGE_TEST_DATABASE", in: environmentOfServices)
        let management = try Places.variable("STOCKBRIDGE_TEST_BROKER_MANAGEMENT", of: environment)
        let managementAddress = "\(URLComponents(string: management)?.port ?? 0)"
        return [
            // By name: the client of the broker does not compare addresses.
            ("  host: 127.0.0.1\n  port: \(plain)\n", "  host: [\"localhost:1\", \"localhost:\(port)\"]\n"),
            ("  host: 127.0.0.1\n  port: \(database)\n", "  host: [\"127.0.0.1:1\", \"127.0.0.1:\(database)\"]\n"),
            (
                "\"http://127.0.0.1:\(managementAddress)\"",
                "[\"https://localhost:1\", \"https://localhost:\(managementPort)\"]"
            ),
            ("tls: {enabled: false}", "tls: {ca_file: \"\(authority.file)\"}"),
        ]
    }

    private func offerTLSAtDatabase(_ certificate: TestAuthority.Certificate) async throws {
        let connection = PostgresConnection(try TestServers(environment: environment).database)
        for (name, value) in [
            ("ssl", "on"), ("ssl_cert_file", certificate.file), ("ssl_key_file", certificate.key),
        ] {
            try await connection.script("ALTER SYSTEM SET \(name) = '\(value)'")
        }
        try await connection.script("SELECT pg_reload_conf()")
        await connection.close()
    }

    private func number(of variable: String, in environment: [String: String]) throws -> Int {
        let address = URLComponents(string: try Places.variable(variable, of: environment))
        guard let port = address?.port else { throw ProcessStackProblem("\(variable) names no port.") }
        return port
    }
}
