import Domain
import Foundation
import Settings
import Transfer

/// A source's location as the transfer client takes it, with its secrets resolved; made for one look.
struct RemoteLocation: Sendable {
    let site: RemoteSite
    /// For HTTPS the path of the one file.
    let directory: String
    private let pattern: FileNamePattern?

    /// - Throws: `SecretError`; `TransferError.invalidURL` for an address that cannot be used.
    init(_ location: StockbridgeConfiguration.Location, service: String) throws {
        pattern = location.pattern
        switch location {
        case .sftp(let place):
            directory = place.directory
            site = RemoteSite(
                scheme: .sftp, host: place.host, port: place.port, user: place.user,
                authentication: try Self.authentication(place, service), hostKey: Self.hostKey(place.hostKey))
        case .ftp(let place):
            directory = place.directory
            site = RemoteSite(
                scheme: place.isEncrypted ? .ftps : .ftp, host: place.host, port: place.port, user: place.user,
                authentication: .password(try place.password.resolve(service: service).reveal()),
                caFile: place.caFile)
        case .folder(let place):
            directory = place.directory
            site = RemoteSite(scheme: .folder)
        case .https(let place):
            guard let parts = URLComponents(string: place.url), parts.scheme == "https", let host = parts.host else {
                throw TransferError.invalidURL(reason: "the address of a stock file must begin with https://")
            }
            directory = parts.percentEncodedPath + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
            var authentication = RemoteSite.Authentication.none
            if let password = place.password {
                authentication = .password(try password.resolve(service: service).reveal())
            }
            site = RemoteSite(
                scheme: .https, host: host, port: parts.port, user: place.user ?? "", authentication: authentication,
                caFile: place.caFile)
        }
    }

    /// Whether a name belongs to the source.
    func matches(_ name: String) -> Bool { pattern?.matches(name) ?? true }

    /// The files of the source and, where it has such, their markers.
    func list(with transfer: TransferClient, _ completeness: StockbridgeConfiguration.Completeness) async throws
        -> [RemoteEntry]
    {
        let pattern = self.pattern
        return try await transfer.list(site, directory: directory) { name in
            if pattern?.matches(name) ?? true { return true }
            guard case .marker(let suffix) = completeness, name.hasSuffix(suffix) else { return false }
            return pattern?.matches(String(name.dropLast(suffix.count))) ?? true
        }
    }

    /// Where a file of the listing lies.
    func path(of name: String) -> String {
        if site.scheme == .https || directory.isEmpty { return site.scheme == .https ? directory : name }
        return directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    private static func authentication(
        _ place: StockbridgeConfiguration.SFTPLocation, _ service: String
    ) throws -> RemoteSite.Authentication {
        if let key = place.privateKeyFile {
            return .privateKey(file: key, passphrase: try place.passphrase?.resolve(service: service).reveal())
        }
        return try place.password.map { .password(try $0.resolve(service: service).reveal()) } ?? .none
    }

    private static func hostKey(_ key: StockbridgeConfiguration.HostKey) -> HostKeyCheck {
        switch key {
        case .fingerprint(let text): .sha256(text)
        case .knownHosts(let file): .knownHosts(file)
        }
    }
}
