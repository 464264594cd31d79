public import Contracts
public import Foundation

/// What the accounts are needed for.
public enum SecretUse: Sendable, Hashable {
    /// A service that runs, or the operator's tool at work.
    case service(ServiceName)
    /// `stockbridge migrate` and `stockbridge topology apply`: the accounts of `admin`, the role `owner`, and the
    /// passwords of every service, which they set.
    case administration
}

extension StockbridgeConfiguration {
    /// Every secret and every file that one use needs and that cannot be had, with what to do.
    ///
    /// Loading does not look for them, because the machine that checks a configuration need not be the one that runs
    /// it.
    public func checkSecrets(
        for use: SecretUse, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> [Problem] {
        var problems: [Problem] = []
        for (path, reference, service) in secrets(for: use) {
            do {
                _ = try reference.resolve(service: service, environment: environment)
            } catch {
                problems.append(problem(path, "\(service) needs it, and \(error)"))
            }
        }
        for (path, file) in files(for: use) {
            do { try checkReadable(file) } catch { problems.append(problem(path, "the file \(file) \(error)")) }
        }
        var seen: Set<Problem> = []
        return problems.filter { seen.insert($0).inserted }
    }

    private func problem(_ path: String, _ message: String) -> Problem {
        Problem(file: file, line: lines[path] ?? 1, column: nil, path: path, message: message, suggestion: nil)
    }

    private typealias Need = (path: String, reference: SecretReference, service: String)

    private func secrets(for use: SecretUse) -> [Need] {
        switch use {
        case .service(let service):
            let name = service.rawValue
            let own: [Need] = [
                ("broker.password", broker.password, name), ("database.password", database.password, name),
            ]
            return own + ownSecrets(of: service).map { ($0.path, $0.reference, name) }
        case .administration:
            let names = ServiceName.allCases.map(\.rawValue)
            let services: [Need] = names.flatMap { name -> [Need] in
                [("broker.password", broker.password, name), ("database.password", database.password, name)]
            }
            let owner: [Need] = [("database.password", database.password, "owner")]
            guard let admin else { return services + owner }
            return services + owner + [
                ("admin.broker_password", admin.brokerPassword, "admin"),
                ("admin.database_password", admin.databasePassword, "admin"),
            ]
        }
    }

    /// What only one service uses.
    private func ownSecrets(of service: ServiceName) -> [(path: String, reference: SecretReference)] {
        switch service {
        case .stockIngestor:
            return sources.enumerated().flatMap { index, source in
                source.location.secrets.map { ("sources[\(index)].location.\($0.key)", $0.reference) }
            }
        case .stockPublisher, .orderCollector, .reconciler:
            return shops.enumerated().flatMap { index, shop in
                var secrets = shop.credentials.secrets.map { ("shops[\(index)].credentials.\($0.key)", $0.reference) }
                if service == .orderCollector, let secret = shop.orders.webhookSecret {
                    secrets.append(("shops[\(index)].orders.webhook_secret", secret))
                }
                return secrets
            }
        case .notifier, .erpBridge:
            return mail.password.map { [("mail.password", $0)] } ?? []
        case .stockbridge:
            return []
        }
    }

    private func files(for use: SecretUse) -> [(path: String, file: String)] {
        var files: [(String, String?)] = [
            ("broker.tls.ca_file", broker.tls.caFile), ("database.tls.ca_file", database.tls.caFile),
        ]
        guard case .service(let service) = use else {
            return files.compactMap { path, file in file.map { (path, $0) } }
        }
        switch service {
        case .stockIngestor:
            for (index, source) in sources.enumerated() {
                files += source.location.files.map { ("sources[\(index)].location.\($0.key)", $0.file) }
            }
        case .stockPublisher, .orderCollector, .reconciler:
            for (index, shop) in shops.enumerated() { files.append(("shops[\(index)].ca_file", shop.caFile)) }
        case .notifier, .erpBridge: files.append(("mail.ca_file", mail.caFile))
        case .stockbridge: break
        }
        return files.compactMap { path, file in file.map { (path, $0) } }
    }
}

extension StockbridgeConfiguration.ShopCredentials {
    fileprivate var secrets: [(key: String, reference: SecretReference)] {
        switch self {
        case .woocommerce(let key, let secret):
            [("key", key), ("secret", secret)]
        case .shopify(let accessToken, _, let clientSecret):
            [("access_token", accessToken), ("client_secret", clientSecret)]
                .compactMap { key, reference in reference.map { (key, $0) } }
        }
    }
}

extension StockbridgeConfiguration.Location {
    fileprivate var secrets: [(key: String, reference: SecretReference)] {
        let all: [(String, SecretReference?)] =
            switch self {
            case .sftp(let place): [("passphrase", place.passphrase), ("password", place.password)]
            case .ftp(let place): [("password", place.password)]
            case .folder: []
            case .https(let place): [("password", place.password)]
            }
        return all.compactMap { key, reference in reference.map { (key, $0) } }
    }

    fileprivate var files: [(key: String, file: String?)] {
        switch self {
        case .sftp(let place):
            if case .knownHosts(let file) = place.hostKey {
                [("private_key", place.privateKeyFile), ("known_hosts", file)]
            } else {
                [("private_key", place.privateKeyFile)]
            }
        case .ftp(let place): [("ca_file", place.caFile)]
        case .folder: []
        case .https(let place): [("ca_file", place.caFile)]
        }
    }
}
