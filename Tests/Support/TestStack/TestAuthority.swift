public import Foundation

/// A private certificate authority that lasts as long as one test, with what it has issued. Test equipment.
public struct TestAuthority: Sendable {
    /// A certificate with its key, as paths of PEM files.
    public struct Certificate: Sendable {
        /// The certificate.
        public let file: String
        /// Its private key, without a passphrase.
        public let key: String
    }

    /// Everything is in it.
    public let folder: URL
    /// The authority's own certificate.
    public let file: String

    private var key: String { folder.appending(path: "authority.key").path() }

    /// Makes an authority.
    public init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString.prefix(8))")
        file = folder.appending(path: "authority.pem").path()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The servers run under accounts of their own.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path())
        try await Self.openssl(
            ["req", "-x509"] + Self.newKey + ["-days", "2", "-subj", "/CN=Test authority"]
                + ["-keyout", key, "-out", file])
    }

    /// Issues a certificate.
    ///
    /// - Parameters:
    ///   - names: What it is good for, in OpenSSL's words.
    ///   - days: From now on; -1 for one that has expired.
    ///   - account: Whose the key is, where this process may give it away.
    public func issue(
        _ title: String, names: String = "DNS:localhost,IP:127.0.0.1", days: Int = 2, to account: String
    ) async throws -> Certificate {
        let base = folder.appending(path: title).path()
        try Data("subjectAltName=\(names)\n".utf8).write(to: URL(filePath: base + ".extensions"))
        try await Self.openssl(
            ["req"] + Self.newKey + ["-subj", "/CN=\(title)", "-keyout", base + ".key", "-out", base + ".request"])
        try await Self.openssl([
            "x509", "-req", "-in", base + ".request", "-CA", file, "-CAkey", key, "-CAcreateserial",
            "-days", "\(days)", "-extfile", base + ".extensions", "-out", base + ".pem",
        ])
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: base + ".key")
        try give(base + ".key", to: account)
        return Certificate(file: base + ".pem", key: base + ".key")
    }

    /// Removes the authority and all it has issued.
    public func remove() { try? FileManager.default.removeItem(at: folder) }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private static func openssl(_ arguments: [String]) async throws {
        try await ChildProcess.run(["/usr/bin/openssl"] + arguments)
    }
}
