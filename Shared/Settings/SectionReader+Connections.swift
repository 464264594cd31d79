import Contracts

// Servers: broker, database, mail, and where the services answer.
extension SectionReader {
    private func tls(of what: String) -> StockbridgeConfiguration.TLS {
        section(withDefaults: "tls") { section in
            let enabled = section.boolean("enabled", default: true)
            if !enabled {
                section.warn("enabled", "the connection to \(what) is neither encrypted nor verified; turn TLS on")
            }
            return StockbridgeConfiguration.TLS(enabled: enabled, caFile: section.filePath("ca_file"))
        }
    }

    func broker() -> StockbridgeConfiguration.Broker {
        let hosts = hosts("host")
        let tls = tls(of: "the broker")
        let port = integer("port", derived: tls.enabled ? 5671 : 5672, in: 1...65_535)
        let management = hosts.map { host in
            let name = host.name.contains(":") ? "[\(host.name)]" : host.name
            return tls.enabled ? "https://\(name):15671" : "http://\(name):15672"
        }
        return StockbridgeConfiguration.Broker(
            servers: servers(hosts, port: port), virtualHost: text("virtual_host", default: "stockbridge"),
            managementURLs: urls(
                "management_url", default: management, isInsecure: !tls.enabled,
                insecureKey: "tls: {enabled: false}"),
            password: secret("password"), tls: tls)
    }

    func database() -> StockbridgeConfiguration.Database {
        let hosts = hosts("host")
        return StockbridgeConfiguration.Database(
            servers: servers(hosts, port: integer("port", default: 5432, in: 1...65_535)),
            name: text("name", default: "stockbridge"), password: secret("password"), tls: tls(of: "the database"),
            maximumConnections: integer("maximum_connections", default: 8, in: 2...100))
    }

    func administration() -> StockbridgeConfiguration.Administration {
        StockbridgeConfiguration.Administration(
            brokerUser: text("broker_user", default: "admin"), brokerPassword: secret("broker_password"),
            databaseUser: text("database_user", default: "postgres"), databasePassword: secret("database_password"))
    }

    func http() -> StockbridgeConfiguration.HTTP {
        let bind = text("bind", default: "127.0.0.1")
        let ports = section(withDefaults: "ports") { section in
            ServiceName.daemons.enumerated().map { index, service in
                (service.rawValue, section.integer(service.rawValue, default: 8081 + index, in: 0...65_535))
            }
        }
        return StockbridgeConfiguration.HTTP(bind: bind, ports: Dictionary(ports) { first, _ in first })
    }

    func mail() -> StockbridgeConfiguration.Mail {
        let host = host("host")
        let tls = choice("tls", default: StockbridgeConfiguration.MailTLS.startTLS)
        if tls == .off { warn("tls", "mails travel to the server unencrypted; use start_tls or implicit") }
        let standardPort =
            switch tls {
            case .startTLS: 587
            case .implicit: 465
            case .off: 25
            }
        let user = optionalText("user")
        let password = optionalSecret("password")
        if has("user") != has("password") {
            report(
                has("user") ? "user" : "password", "user and password go together",
                suggestion: "set both, or neither where the server asks for none")
        }
        if tls == .off, password != nil {
            warn("password", "the password travels to the server unencrypted; set tls to start_tls or implicit")
        }
        let port = integer("port", derived: standardPort, in: 1...65_535)
        let caFile = filePath("ca_file")
        let from = sender("from")
        return StockbridgeConfiguration.Mail(
            host: host, port: port, tls: tls, caFile: caFile, user: user, password: password, from: from.text,
            fromAddress: from.address)
    }
}
