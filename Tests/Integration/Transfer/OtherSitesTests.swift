import Foundation
import Testing
import Transfer

@Suite("FTP, FTPS, HTTPS files and folders", .serialized)
struct OtherSitesTests {
    private func download(_ client: TransferClient, _ site: RemoteSite, _ path: String) async throws -> [UInt8] {
        let collector = Collector()
        try await client.download(site, path: path, maximumBytes: 1 << 20) { collector.add($0) }
        return collector.bytes
    }

    private func site(_ server: ChildServer, _ kind: String) -> RemoteSite {
        var site = RemoteSite(
            scheme: kind == "secure" || kind == "implicit" ? .ftps : .ftp, host: "localhost", port: server.port(kind),
            user: "stock", authentication: .password(server["password"]), caFile: server["ca"])
        site.implicitTLS = kind == "implicit"
        return site
    }

    @Test(arguments: ["plain", "old", "secure", "implicit"])
    func aFileGoesThereAndBackOverFTP(_ kind: String) async throws {
        try await withServer("ftp_server.py", emptying: "files") { (server) async throws in
            let client = TransferClient()
            defer { client.close() }
            let site = site(server, kind)
            try FileManager.default.createDirectory(
                atPath: "\(server["files"])/directory.csv", withIntermediateDirectories: false)
            let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
            try await client.upload(site, path: "/outgoing/tồn kho.csv", bytes: content)
            #expect(try await download(client, site, "/outgoing/tồn kho.csv") == content)
            try await client.rename(site, from: "/outgoing/tồn kho.csv", to: "/outgoing/stock.csv")
            let time = Date(timeIntervalSince1970: 1_700_000_001)
            try FileManager.default.setAttributes(
                [.modificationDate: time], ofItemAtPath: "\(server["files"])/stock.csv")
            let entries = try await client.list(site, directory: "/outgoing") { $0.hasSuffix(".csv") }
            #expect(entries == [RemoteEntry(name: "stock.csv", size: content.count, modifiedAt: time)])
            #expect(try await client.list(site, directory: "/outgoing") { _ in false } == [])
            await #expect(throws: TransferError.notFound(path: "/outgoing/missing")) {
                try await download(client, site, "/outgoing/missing")
            }
            try await client.remove(site, path: "outgoing/stock.csv")
            #expect(try FileManager.default.contentsOfDirectory(atPath: server["files"]) == ["directory.csv"])
        }
    }

    @Test func aWrongFTPPasswordIsRefusedWithoutShowingIt() async throws {
        try await withServer("ftp_server.py", emptying: "files") { (server) async throws in
            let client = TransferClient()
            defer { client.close() }
            var site = site(server, "secure")
            site.authentication = .password("wrong-secret")
            let error = await #expect(throws: TransferError.self) { try await client.list(site, directory: "/") }
            #expect(error == .authenticationFailed(host: "localhost", user: "stock"))
            #expect(error?.description.contains("wrong-secret") == false)
        }
    }

    @Test func anFTPServerOfAnUnknownAuthorityIsRejected() async throws {
        try await withServer("ftp_server.py", emptying: "files") { (server) async throws in
            let client = TransferClient()
            defer { client.close() }
            var site = site(server, "secure")
            site.caFile = nil
            let error = await #expect(throws: TransferError.self) { try await client.list(site, directory: "/") }
            #expect(error?.label == "tls_rejected")
        }
    }

    @Test func anFTPServerWithoutTLSIsRefusedWhereTLSIsAsked() async throws {
        try await withServer("ftp_server.py", emptying: "files") { (server) async throws in
            let client = TransferClient()
            defer { client.close() }
            var site = site(server, "plain")
            site.scheme = .ftps
            let error = await #expect(throws: TransferError.self) { try await client.list(site, directory: "/") }
            #expect(error?.label == "tls_rejected")
        }
    }

    @Test func aFileBehindHTTPSHasATimeAndATag() async throws {
        try await withServer("http_server.py") { (server) async throws in
            let client = TransferClient()
            defer { client.close() }
            let site = RemoteSite(
                scheme: .https, host: "localhost", port: server.port("tls_port"), caFile: server["ca"])
            let size = Int(server["size"]) ?? 0
            let entry = RemoteEntry(
                name: "file", size: size, modifiedAt: Date(timeIntervalSince1970: 1_795_240_807), entityTag: "\"v1\"")
            #expect(try await client.list(site, directory: "/file?key=x") == [entry])
            #expect(try await client.list(site, directory: "/missing") == [])
            #expect(try await download(client, site, "/file").count == size)
            await #expect(throws: TransferError.notFound(path: "/missing")) {
                try await download(client, site, "/missing")
            }
            await #expect(throws: TransferError.authenticationFailed(host: "localhost", user: "")) {
                try await download(client, site, "/status/401")
            }
            await #expect(throws: TransferError.refused(code: 302, text: "no file", step: "HTTP")) {
                try await download(client, site, "/status/302")
            }
            await #expect(throws: TransferError.unsupported(operation: "upload", scheme: "https")) {
                try await client.upload(site, path: "/file", bytes: [])
            }
        }
    }

    @Test func aFolderBehavesLikeAServer() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "transfer-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: "\(directory)/sub", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let client = TransferClient()
        defer { client.close() }
        let site = RemoteSite(scheme: .folder)
        let content = [UInt8](repeating: 9, count: 700_000)
        try await client.upload(site, path: "\(directory)/a.csv", bytes: content)
        #expect(try await download(client, site, "\(directory)/a.csv") == content)
        try await client.rename(site, from: "\(directory)/a.csv", to: "\(directory)/b.csv")
        let entries = try await client.list(site, directory: directory)
        #expect(entries.map(\.name) == ["b.csv"] && entries.first?.size == content.count)
        #expect(entries.first?.modifiedAt != nil)
        await #expect(throws: TransferError.tooLarge(limit: 10)) {
            try await client.download(site, path: "\(directory)/b.csv", maximumBytes: 10) { _ in }
        }
        try await client.remove(site, path: "\(directory)/b.csv")
        await #expect(throws: TransferError.notFound(path: "\(directory)/b.csv")) {
            try await download(client, site, "\(directory)/b.csv")
        }
    }
}
