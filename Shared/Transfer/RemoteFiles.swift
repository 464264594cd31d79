import Foundation

extension TransferClient {
    /// The files in a directory; directories are left out.
    ///
    /// - Parameters:
    ///   - directory: Absolute if it begins with `/`, else below where the account lands. For HTTPS, the path of the
    ///     one file, percent-encoded.
    ///   - matching: Only files whose name it accepts are asked for size and time, which costs some round trips each
    ///     over SFTP; called on any thread.
    /// - Returns: In the server's order. Times are exact to the second. A file that vanishes meanwhile is left out.
    public func list(
        _ site: RemoteSite, directory: String, matching: (@Sendable (String) -> Bool)? = nil
    ) async throws(TransferError) -> [RemoteEntry] {
        switch site.scheme {
        case .folder: return try await LocalFolder.list(directory, matching)
        case .https: return try await headOfFile(site, directory).filter { matching?($0.name) ?? true }
        case .sftp: return try await listOverSSH(site, directory, matching)
        case .ftp, .ftps: return try await listOverFTP(site, directory, matching)
        }
    }

    private func listOverSSH(
        _ site: RemoteSite, _ directory: String, _ matching: (@Sendable (String) -> Bool)?
    ) async throws(TransferError) -> [RemoteEntry] {
        let names = try await names(site, directory).filter { matching?($0) ?? true }
        if names.isEmpty { return [] }
        // Names come exact from one listing, types only from the other, which is made for people.
        let long = try await run(TransferPlan(site, path: directory, isDirectory: true, options: options)).body
        let directories = DirectoryListing.directories(inLong: long)
        return try await attributes(site, directory, names.filter { !directories.contains($0) })
    }

    private func listOverFTP(
        _ site: RemoteSite, _ directory: String, _ matching: (@Sendable (String) -> Bool)?
    ) async throws(TransferError) -> [RemoteEntry] {
        var plan = try TransferPlan(site, path: directory, isDirectory: true, options: options)
        plan.options.append(.text(.customRequest, "MLSD"))
        do {
            return DirectoryListing.machineReadable(try await run(plan).body).filter { matching?($0.name) ?? true }
        } catch .refused(500...504, _, _) {
            // A server from before RFC 3659.
            return try await attributes(site, directory, names(site, directory).filter { matching?($0) ?? true })
        }
    }

    private func names(_ site: RemoteSite, _ directory: String) async throws(TransferError) -> [String] {
        var plan = try TransferPlan(site, path: directory, isDirectory: true, options: options)
        plan.options.append(.number(.namesOnly, 1))
        return DirectoryListing.names(try await run(plan).body)
    }

    private func attributes(
        _ site: RemoteSite, _ directory: String, _ names: [String]
    ) async throws(TransferError) -> [RemoteEntry] {
        var entries: [RemoteEntry] = []
        for name in names {
            var plan = try TransferPlan(site, path: RemoteURL.join(directory, name), options: options)
            plan.askForAttributes()
            do {
                let answer = try await run(plan)
                // libcurl does not tell empty files of SFTP from those of unknown size, which no server has.
                guard answer.contentLength >= 0 || site.scheme == .sftp else { continue }
                let size = max(0, answer.contentLength)
                entries.append(RemoteEntry(name: name, size: size, modifiedAt: Self.date(answer)))
            } catch .notFound {
                continue  // renamed or removed since it was listed
            }
        }
        return entries
    }

    private func headOfFile(_ site: RemoteSite, _ path: String) async throws(TransferError) -> [RemoteEntry] {
        var plan = try TransferPlan(site, path: path, options: options)
        plan.askForAttributes()
        let answer = try await run(plan)
        if answer.status == 404 || answer.status == 410 { return [] }
        try Self.check(answer, plan)
        let response = HTTPResponse(status: answer.status, headers: HTTPRules.headers(in: answer.head))
        let name = RemoteURL.lastComponent(String(path.prefix { $0 != "?" }))
        return [
            RemoteEntry(
                name: name, size: max(0, answer.contentLength), modifiedAt: Self.date(answer),
                entityTag: response.header("ETag"))
        ]
    }

    private static func date(_ answer: TransferAnswer) -> Date? {
        answer.fileTime < 0 ? nil : Date(timeIntervalSince1970: Double(answer.fileTime))
    }

    /// Over HTTPS, only 200 is a file.
    private static func check(_ answer: TransferAnswer, _ plan: TransferPlan) throws(TransferError) {
        guard plan.kind == .http, answer.status != 200 else { return }
        switch answer.status {
        case 404, 410: throw .notFound(path: String(plan.path.prefix { $0 != "?" }))
        case 401, 403: throw .authenticationFailed(host: plan.host, user: plan.user)
        default: throw .refused(code: answer.status, text: "no file", step: "HTTP")
        }
    }

    /// Reads a file piece by piece.
    ///
    /// - Parameters:
    ///   - path: As for ``list(_:directory:matching:)``.
    ///   - maximumBytes: A longer file is ``TransferError/tooLarge(limit:)``; up to this many bytes may have reached
    ///     the sink by then.
    ///   - sink: Gets each piece, of at most 512 KiB (16 KiB off the network), in order on the transfer thread; the
    ///     bytes are gone when it returns. What it throws ends the transfer and is thrown here. It holds up other
    ///     transfers of files and mail for as long as it runs, never HTTP requests.
    public func download(
        _ site: RemoteSite, path: String, maximumBytes: Int,
        _ sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        if site.scheme == .folder { return try await LocalFolder.read(path, maximumBytes, sink) }
        var plan = try TransferPlan(site, path: path, options: options)
        plan.receiver = .stream(sink)
        plan.maximumBytes = maximumBytes
        try Self.check(try await runPassingOn(plan), plan)
    }

    /// Writes a file, in place of one of the same name. Readers may see part of it: upload under another name, then
    /// rename, where that matters.
    public func upload(_ site: RemoteSite, path: String, bytes: [UInt8]) async throws(TransferError) {
        switch site.scheme {
        case .folder: return try await LocalFolder.write(path, bytes)
        case .https: throw .unsupported(operation: "upload", scheme: site.scheme.rawValue)
        case .sftp, .ftp, .ftps: break
        }
        var plan = try TransferPlan(site, path: path, options: options)
        plan.upload = bytes
        plan.mayBeResent = false
        plan.options += [.number(.upload, 1), .size(.uploadSize, bytes.count)]
        _ = try await run(plan)
    }

    /// Renames a file. Whether an existing file of the new name is replaced is the server's choice; OpenSSH refuses.
    public func rename(_ site: RemoteSite, from old: String, to new: String) async throws(TransferError) {
        if site.scheme == .folder { return try await LocalFolder.rename(old, new) }
        try RemoteURL.check(site, new)
        try await command(
            site, old, "rename", ssh: "rename \(RemoteURL.quoted(old)) \(RemoteURL.quoted(new))",
            ftp: ["RNFR \(old)", "RNTO \(new)"])
    }

    /// Removes a file.
    public func remove(_ site: RemoteSite, path: String) async throws(TransferError) {
        if site.scheme == .folder { return try await LocalFolder.remove(path) }
        try await command(site, path, "remove", ssh: "rm \(RemoteURL.quoted(path))", ftp: ["DELE \(path)"])
    }

    private func command(
        _ site: RemoteSite, _ path: String, _ name: String, ssh: String, ftp: [String]
    ) async throws(TransferError) {
        try RemoteURL.check(site, path)
        guard site.scheme != .https else { throw .unsupported(operation: name, scheme: site.scheme.rawValue) }
        var plan = try TransferPlan(site, path: site.scheme == .sftp ? "/" : "", isDirectory: true, options: options)
        plan.path = path
        plan.mayBeResent = false
        plan.command(site.scheme == .sftp ? [ssh] : ftp)
        _ = try await run(plan)
    }
}
