import Foundation
import Testing
import Transfer

@Suite("SFTP against OpenSSH", .serialized)
struct SFTPTests {
    private static let host = "127.0.0.1"

    private func site(
        _ server: ChildServer, key: String = "ecdsa", passphrase: String? = nil, hostKey: HostKeyCheck? = nil
    ) -> RemoteSite {
        RemoteSite(
            scheme: .sftp, host: Self.host, port: server.port(), user: server["user"],
            authentication: .privateKey(file: server[key], passphrase: passphrase),
            hostKey: hostKey ?? .sha256(server["fingerprint"]))
    }

    private func withSFTP(_ body: (TransferClient, ChildServer, RemoteSite) async throws -> Void) async throws {
        try await withServer("ssh_server.py", emptying: "files") { (server) async throws in
            let client = TransferClient()
            defer { client.close() }
            try await body(client, server, site(server))
        }
    }

    private func download(_ client: TransferClient, _ site: RemoteSite, _ path: String) async throws -> [UInt8] {
        let collector = Collector()
        try await client.download(site, path: path, maximumBytes: 1 << 30) { collector.add($0) }
        return collector.bytes
    }

    @Test func aFileIsUploadedListedReadRenamedAndRemoved() async throws {
        try await withSFTP { (client, server, site) async throws in
            let directory = server["files"]
            let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let strange = "\(directory)/tồn kho \"a\\b\" #1 %41;x.csv"
            try await client.upload(site, path: strange, bytes: content)
            #expect(try await download(client, site, strange) == content)
            try await client.rename(site, from: strange, to: "\(directory)/stock-2.csv")
            let attributes = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 1_700_000_001)]
            try FileManager.default.setAttributes(attributes, ofItemAtPath: "\(directory)/stock-2.csv")
            let entry = RemoteEntry(
                name: "stock-2.csv", size: content.count, modifiedAt: Date(timeIntervalSince1970: 1_700_000_001))
            #expect(try await client.list(site, directory: directory) == [entry])
            try await client.remove(site, path: "\(directory)/stock-2.csv")
            #expect(try await client.list(site, directory: directory) == [])
        }
    }

    @Test func directoriesAreLeftOutAndOnlyMatchingNamesAreAskedFor() async throws {
        try await withSFTP { (client, server, site) async throws in
            let directory = server["files"]
            for name in ["stock-1.csv", "stock 3.csv", "other.txt", "empty.csv"] {
                try await client.upload(site, path: "\(directory)/\(name)", bytes: name == "empty.csv" ? [] : [1, 2])
            }
            for name in ["folder.csv", "a folder.csv"] {
                try FileManager.default.createDirectory(
                    atPath: "\(directory)/\(name)", withIntermediateDirectories: false)
            }
            let entries = try await client.list(site, directory: directory) { $0.hasSuffix(".csv") }
            #expect(Set(entries.map(\.name)) == ["stock-1.csv", "stock 3.csv", "empty.csv"])
            #expect(entries.first { $0.name == "empty.csv" }?.size == 0)
            #expect(try await download(client, site, "\(directory)/empty.csv").isEmpty)
        }
    }

    @Test func relativePathsBeginWhereTheAccountLands() async throws {
        try await withSFTP { (client, server, site) async throws in
            try #require(!server["account"].isEmpty, "needs the right to make an account")
            let site = password(server, server["password"], site)
            try await client.upload(site, path: "here.csv", bytes: [7])
            #expect(try Data(contentsOf: URL(filePath: "\(server["files"])/here.csv")) == Data([7]))
            try await client.rename(site, from: "here.csv", to: "there.csv")
            #expect(try await client.list(site, directory: "").map(\.name) == ["there.csv"])
        }
    }

    private func password(_ server: ChildServer, _ password: String, _ site: RemoteSite) -> RemoteSite {
        var site = site
        site.user = server["account"]
        site.authentication = .password(password)
        return site
    }

    @Test(arguments: ["ecdsa", "ed25519"])
    func keysOfModernTypesOpenTheDoor(_ key: String) async throws {
        try await withSFTP { (client, server, _) async throws in
            #expect(try await client.list(site(server, key: key), directory: server["files"]) == [])
        }
    }

    @Test func aKeyWithPassphraseOpensTheDoorOnlyWithIt() async throws {
        try await withSFTP { (client, server, _) async throws in
            let refused = TransferError.authenticationFailed(host: Self.host, user: server["user"])
            let wrong = site(server, key: "locked", passphrase: "khác")
            await #expect(throws: refused) { try await client.list(wrong, directory: server["files"]) }
            let right = site(server, key: "locked", passphrase: "khoá dài")
            #expect(try await client.list(right, directory: server["files"]) == [])
        }
    }

    @Test func aStrangersKeyIsRefused() async throws {
        try await withSFTP { (client, server, _) async throws in
            await #expect(throws: TransferError.authenticationFailed(host: Self.host, user: server["user"])) {
                try await client.list(site(server, key: "stranger"), directory: server["files"])
            }
        }
    }

    @Test func aKeyFileThatIsNotThereIsNamed() async throws {
        try await withSFTP { (client, server, site) async throws in
            var site = site
            site.authentication = .privateKey(file: "/nowhere/key")
            await #expect(throws: TransferError.localFile(path: "/nowhere/key", reason: "it cannot be read")) {
                try await client.list(site, directory: server["files"])
            }
        }
    }

    @Test func aPasswordOpensTheDoorAndAWrongOneDoesNot() async throws {
        try await withSFTP { (client, server, site) async throws in
            try #require(!server["account"].isEmpty, "needs the right to make an account")
            let right = password(server, server["password"], site)
            #expect(try await client.list(right, directory: server["files"]) == [])
            let wrong = password(server, "wrong-secret", site)
            let error = await #expect(throws: TransferError.self) {
                try await client.list(wrong, directory: server["files"])
            }
            #expect(error == .authenticationFailed(host: Self.host, user: server["account"]))
            #expect(error?.description.contains("wrong-secret") == false)
        }
    }

    @Test func anotherHostKeyThanThePinnedOneIsToldWithBoth() async throws {
        try await withSFTP { (client, server, right) async throws in
            _ = try await client.list(right, directory: server["files"])  // leaves a pooled connection
            let wrong = site(server, hostKey: .sha256(server["other_fingerprint"]))
            let changed = TransferError.hostKeyChanged(
                host: Self.host, expected: server["other_fingerprint"], found: server["fingerprint"])
            await #expect(throws: changed) { try await client.list(wrong, directory: server["files"]) }
            #expect(try await client.list(right, directory: server["files"]) == [])
        }
    }

    @Test func knownHostsLetInOnlyTheHostTheyKnow() async throws {
        try await withSFTP { (client, server, _) async throws in
            let known = site(server, hostKey: .knownHosts(server["known"]))
            #expect(try await client.list(known, directory: server["files"]) == [])
            let changed = site(server, hostKey: .knownHosts(server["changed"]))
            let error = await #expect(throws: TransferError.self) { try await client.list(changed, directory: "/") }
            let keys = try ["other_host", "host"].map { name in
                let line = try String(contentsOfFile: "\(server["directory"])/\(name).pub", encoding: .utf8)
                return line.split(separator: " ").prefix(2).joined(separator: " ")
            }
            #expect(error == .hostKeyChanged(host: Self.host, expected: keys[0], found: keys[1]))
            let empty = site(server, hostKey: .knownHosts(server["empty"]))
            await #expect(throws: TransferError.hostKeyUnknown(host: Self.host, found: keys[1])) {
                try await client.list(empty, directory: "/")
            }
        }
    }

    @Test func whatIsMissingIsNotFound() async throws {
        try await withSFTP { (client, server, site) async throws in
            let path = "\(server["files"])/missing.csv"
            await #expect(throws: TransferError.notFound(path: path)) { try await download(client, site, path) }
            await #expect(throws: TransferError.notFound(path: path)) { try await client.list(site, directory: path) }
            await #expect(throws: TransferError.notFound(path: path)) { try await client.remove(site, path: path) }
            await #expect(throws: TransferError.notFound(path: path)) {
                try await client.rename(site, from: path, to: path + "2")
            }
        }
    }

    @Test func whatTheSinkThrowsEndsTheDownloadAndComesBack() async throws {
        struct Enough: Error {}
        try await withSFTP { (client, server, site) async throws in
            let path = "\(server["files"])/stock.csv"
            try await client.upload(site, path: path, bytes: [UInt8](repeating: 1, count: 2_000_000))
            let collector = Collector()
            await #expect(throws: Enough.self) {
                try await client.download(site, path: path, maximumBytes: 1 << 30) { piece in
                    collector.add(piece)
                    if collector.pieces == 3 { throw Enough() }
                }
            }
            #expect(collector.pieces == 3)
            #expect(try await download(client, site, path).count == 2_000_000)
        }
    }

    @Test func aFileBeyondTheLimitIsTooLarge() async throws {
        try await withSFTP { (client, server, site) async throws in
            let path = "\(server["files"])/stock.csv"
            try await client.upload(site, path: path, bytes: [UInt8](repeating: 1, count: 100_001))
            let collector = Collector()
            await #expect(throws: TransferError.tooLarge(limit: 100_000)) {
                try await client.download(site, path: path, maximumBytes: 100_000) { collector.add($0) }
            }
            #expect(collector.bytes.count <= 100_000)
            try await client.download(site, path: path, maximumBytes: 100_001) { collector.add($0) }
        }
    }

    @Test func aSiteWithoutHostKeyIsRefused() async throws {
        let client = TransferClient()
        defer { client.close() }
        let site = RemoteSite(scheme: .sftp, host: "h", user: "u", authentication: .password("p"))
        let error = await #expect(throws: TransferError.self) { try await client.list(site, directory: "/") }
        #expect(error?.label == "invalid_request")
    }
}
