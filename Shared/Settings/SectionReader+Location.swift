// `sources[].location`: one kind of place per source.
extension SectionReader {
    private enum LocationWord: String, CaseIterable { case sftp, ftp, ftps, folder, https }

    func location() -> StockbridgeConfiguration.Location {
        let word = choice("type", of: LocationWord.self)
        switch word {
        case .sftp: return .sftp(sftp())
        case .ftp, .ftps: return .ftp(ftp(isEncrypted: word == .ftps))
        case .folder: return .folder(folder())
        case .https: return .https(https())
        case nil:
            // Without a type nothing can be said about the other keys, so none of them is called unknown.
            return log.muted {
                takeEverything()
                return .folder(folder())
            }
        }
    }

    private func sftp() -> StockbridgeConfiguration.SFTPLocation {
        let host = host("host")
        let port = integer("port", derived: 22, in: 1...65_535)
        let user = text("user")
        let key = filePath("private_key")
        let passphrase = optionalSecret("passphrase")
        let password = optionalSecret("password")
        if !has("private_key"), !has("password") {
            reportMissing("private_key", because: "and so is password: one of them must prove who we are")
        }
        if has("passphrase"), !has("private_key") {
            report("passphrase", "belongs to a private_key, and there is none", suggestion: "add it, or remove this")
        }
        return StockbridgeConfiguration.SFTPLocation(
            host: host, port: port, user: user, privateKeyFile: key, passphrase: passphrase, password: password,
            hostKey: hostKey(), directory: directory(), pattern: fileNamePattern("pattern"))
    }

    private func hostKey() -> StockbridgeConfiguration.HostKey {
        let fingerprint = optionalText("host_key")
        let file = filePath("known_hosts")
        if let fingerprint {
            let digits = fingerprint.dropFirst("SHA256:".count)
            let isPlain = digits.utf8.count == 43 && !digits.contains { $0.isWhitespace || $0 == "=" }
            if !fingerprint.hasPrefix("SHA256:") || !isPlain {
                report(
                    "host_key", "\(quoted(fingerprint)) is no fingerprint",
                    suggestion: "write what \"ssh-keyscan HOST | ssh-keygen -lf -\" prints, from SHA256: on")
            }
            if file != nil {
                report("known_hosts", "goes not together with host_key", suggestion: "remove one of the two")
            }
        }
        if !has("host_key"), !has("known_hosts") {
            reportMissing("host_key", because: "and so is known_hosts: without either, anybody could be the server")
        }
        return fingerprint.map { .fingerprint($0) } ?? .knownHosts(file: file ?? "")
    }

    private func ftp(isEncrypted: Bool) -> StockbridgeConfiguration.FTPLocation {
        if !isEncrypted {
            warn("type", "the file and the password travel in the clear; use ftps or sftp")
        }
        return StockbridgeConfiguration.FTPLocation(
            host: host("host"), port: integer("port", derived: 21, in: 1...65_535), user: text("user"),
            password: secret("password"), isEncrypted: isEncrypted, caFile: isEncrypted ? filePath("ca_file") : nil,
            directory: directory(), pattern: fileNamePattern("pattern"))
    }

    private func directory() -> String {
        text("directory", default: "/")
    }

    private func folder() -> StockbridgeConfiguration.FolderLocation {
        StockbridgeConfiguration.FolderLocation(
            directory: log.absolute(text("directory")), pattern: fileNamePattern("pattern"))
    }

    private func https() -> StockbridgeConfiguration.HTTPSLocation {
        let insecure = boolean("insecure", default: false)
        let url = url("url", isInsecure: insecure, insecureKey: "insecure: true")
        let user = optionalText("user")
        let password = optionalSecret("password")
        if has("user") != has("password") {
            report(
                has("user") ? "user" : "password", "user and password go together", suggestion: "set both, or neither")
        }
        return StockbridgeConfiguration.HTTPSLocation(
            url: url, user: user, password: password, caFile: filePath("ca_file"), insecure: insecure)
    }
}
