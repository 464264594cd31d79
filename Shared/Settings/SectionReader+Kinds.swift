internal import Domain
internal import Foundation
internal import Yams

// Kinds of text with rules of their own: secrets, paths, hosts, addresses, zones, patterns.
extension SectionReader {
    // MARK: Secrets

    /// A reference to a secret that must be there.
    func secret(_ key: String) -> SecretReference {
        reference(key, isRequired: true) ?? .environment(name: "")
    }

    /// A reference to a secret that may be absent.
    func optionalSecret(_ key: String) -> SecretReference? {
        reference(key, isRequired: false)
    }

    private func reference(_ key: String, isRequired: Bool) -> SecretReference? {
        guard let entry = take(key, KeyFact(type: "string", isRequired: isRequired)) else {
            record(key, .null)
            return nil
        }
        // The value is in no message: whoever wrote a password here by mistake must not find it in a log.
        guard let scalar = entry.node.scalar, let reference = SecretReference(scalar.string, folder: log.folder) else {
            report(
                key, "must be a reference to a secret, never the secret itself",
                suggestion: "write \"${env:NAME}\" or \"${file:/run/secrets/name}\", with the quotes")
            return nil
        }
        record(key, .text(scalar.string))
        return reference
    }

    // MARK: Paths and hosts

    /// The absolute path of a file; nil where the key is absent.
    func filePath(_ key: String) -> String? {
        optionalText(key).map(log.absolute)
    }

    /// A host name or address, without scheme, port or path.
    func host(_ key: String) -> String {
        let host = text(key)
        let isAddress = host.contains(":") && host.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        let isName = host.allSatisfy { ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_") }
        if !isAddress && !isName {
            report(key, "\(quoted(host)) is no host name", suggestion: "write the name or address alone")
        }
        return host
    }

    /// A base address: https, or http where the host is this machine or `isInsecure` says so.
    func url(_ key: String, default fallback: String? = nil, isInsecure: Bool, insecureKey: String) -> String {
        let written =
            fallback == nil ? text(key) : optionalText(key, derived: fallback ?? "")
        let item = Item(text: written, path: pathOf(key), place: placeOf(key))
        return address(item, isWritten: has(key), isInsecure: isInsecure, insecureKey: insecureKey)
    }

    /// Base addresses: one, or a list of them.
    ///
    /// - Parameter fallback: What is meant where the key is absent.
    func urls(_ key: String, default fallback: [String], isInsecure: Bool, insecureKey: String) -> [String] {
        let items = texts(key, KeyFact(type: "array"), default: fallback)
        if items.count == 1, let only = items.first {
            forget(key)
            record(key, .text(only.text))
        }
        return items.map { address($0, isWritten: has(key), isInsecure: isInsecure, insecureKey: insecureKey) }
    }

    private func address(_ item: Item, isWritten: Bool, isInsecure: Bool, insecureKey: String) -> String {
        guard !item.text.isEmpty else { return "" }
        guard let parts = URLComponents(string: item.text), let scheme = parts.scheme?.lowercased(),
            let host = parts.host, !host.isEmpty, scheme == "https" || scheme == "http"
        else {
            log.report(item.path, item.place, "is no address of the form https://host/path")
            return ""
        }
        if parts.user != nil || parts.password != nil {
            log.report(
                item.path, item.place, "must not contain a user or a password",
                suggestion: "use the settings for them")
        }
        if parts.query != nil || parts.fragment != nil {
            log.report(item.path, item.place, "must not contain ? or #")
        }
        if scheme == "http", !isLoopback(host) {
            if isInsecure {
                // A default that follows from another setting is covered by that setting's own warning.
                guard isWritten else { return item.text }
                log.warn(
                    item.path, item.place,
                    "plain http: anybody on the way can read and change what is sent; use https")
            } else {
                log.report(
                    item.path, item.place, "must start with https",
                    suggestion: "or say \(insecureKey) if that is really meant")
            }
        }
        var address = item.text
        while address.hasSuffix("/") { address.removeLast() }
        return address
    }

    /// A base address that may be absent.
    func optionalURL(_ key: String, isInsecure: Bool, insecureKey: String) -> String? {
        guard has(key) else { return optionalText(key) }
        return url(key, default: "", isInsecure: isInsecure, insecureKey: insecureKey)
    }

    private func optionalText(_ key: String, derived: String) -> String {
        guard has(key) else {
            _ = take(key, KeyFact(type: "string"))
            record(key, .text(derived))
            return derived
        }
        return optionalText(key) ?? ""
    }

    /// Whether a host is this machine, so that what is sent leaves it nowhere.
    func isLoopback(_ host: String) -> Bool {
        let bare = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return bare == "localhost" || bare == "::1" || (bare.hasPrefix("127.") && bare.allSatisfy { !$0.isLetter })
    }

    // MARK: Mail addresses

    /// Complains unless a text is a plain mail address.
    func checkAddress(_ text: String, path: String, place: Place) {
        if !isMailAddress(text) {
            log.report(path, place, "\(quoted(text)) is no mail address", suggestion: "write it as name@example.com")
        }
    }

    /// Splits `Name <address>`; an address alone is its own.
    func sender(_ key: String) -> (text: String, address: String) {
        let text = text(key)
        guard !text.isEmpty else { return ("", "") }
        var address = text
        if text.hasSuffix(">"), let start = text.lastIndex(of: "<") {
            address = String(text[text.index(after: start)...].dropLast())
        }
        if !isMailAddress(address) {
            report(
                key, "\(quoted(text)) is no sender", suggestion: "write it as \"Stockbridge <stock@example.com>\"")
        }
        return (text, address)
    }

    private func isMailAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let name = parts.first, let domain = parts.last, !name.isEmpty, !domain.isEmpty else {
            return false
        }
        let isPlain = !text.contains { $0.isWhitespace || "<>(),;:\"\\".contains($0) }
        return isPlain && !domain.hasPrefix(".") && !domain.hasSuffix(".") && !domain.contains("..")
    }

    // MARK: Time

    /// A time zone by its name in the IANA database.
    ///
    /// - Parameter fallback: The zone where the key is absent; nil makes the key required.
    func timeZone(_ key: String, default fallback: TimeZone?) -> TimeZone {
        let name = if let fallback { optionalText(key, derived: fallback.identifier) } else { text(key) }
        guard !name.isEmpty, has(key) else { return fallback ?? .gmt }
        // Abbreviations such as EST say nothing about daylight saving, and the case must be right on Linux.
        if name == "UTC" || name.contains("/"), let zone = TimeZone(identifier: name) { return zone }
        let near =
            Suggestion.nearest(to: name, among: TimeZone.knownTimeZoneIdentifiers)
            ?? TimeZone.knownTimeZoneIdentifiers.first {
                $0.hasSuffix("/" + name.replacingOccurrences(of: " ", with: "_"))
            }
        report(
            key, "\(quoted(name)) is no time zone",
            suggestion: near.map { "did you mean \(quoted($0))?" } ?? "write a name such as \"Asia/Ho_Chi_Minh\"")
        return fallback ?? .gmt
    }

    /// A cron expression and its zone.
    ///
    /// - Parameter fallback: The expression where none is written; nil makes it required.
    func schedule(default fallback: String?, zone: TimeZone) -> Schedule {
        let expression = if let fallback { text("cron", default: fallback) } else { text("cron") }
        let zone = timeZone("time_zone", default: zone)
        do {
            return Schedule(cron: try CronExpression(expression), timeZone: zone)
        } catch {
            // A missing expression is reported already, and its stand-in is empty.
            if !expression.isEmpty { report("cron", "is no schedule: \(asClause("\(error)"))") }
            return Schedule(cron: Self.anyTime, timeZone: zone)
        }
    }

    /// The stand-in after a complaint about an expression.
    private static let anyTime: CronExpression = {
        do { return try CronExpression("* * * * *") } catch { preconditionFailure("every field is a star: \(error)") }
    }()

    /// A sentence as the end of another one.
    private func asClause(_ sentence: String) -> String {
        let end = sentence.hasSuffix(".") ? sentence.dropLast() : sentence[...]
        return end.prefix(1).lowercased() + end.dropFirst()
    }

    // MARK: Patterns

    /// Complains unless a text is a regular expression; returns how many groups it has.
    @discardableResult
    func checkExpression(_ text: String, path: String, place: Place) -> Int {
        do {
            return try NSRegularExpression(pattern: text).numberOfCaptureGroups
        } catch {
            // The library's own words are localised and say nothing more.
            log.report(
                path, place, "\(quoted(text)) is no regular expression",
                suggestion:
                    "look for an unclosed bracket or a backslash at the end; write \\\\d for \\d in double quotes"
            )
            return 0
        }
    }

    /// A pattern for names of files within one folder.
    func fileNamePattern(_ key: String) -> FileNamePattern {
        let pattern = text(key)
        if pattern.contains("/") {
            report(
                key, "\(quoted(pattern)) must be a file name without a folder",
                suggestion: "put the folder in directory")
        }
        return FileNamePattern(pattern)
    }

    /// A name that becomes part of queue names and file names.
    func identifier(_ key: String, default fallback: String? = nil) -> String {
        let name = if let fallback { text(key, default: fallback) } else { text(key) }
        let isPlain = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
        }
        if !isPlain || name.utf8.count > 40 || name.hasPrefix("-") || name.hasSuffix("-") {
            report(
                key, "\(quoted(name)) is no name",
                suggestion: "use at most 40 lower-case letters, digits and hyphens, because queues are named after it")
        }
        return name
    }
}

extension SecretReference {
    /// Reads `${env:NAME}` or `${file:path}`; nil for anything else.
    ///
    /// - Parameter folder: Where a relative path starts.
    init?(_ text: String, folder: String) {
        guard text.hasPrefix("${"), text.hasSuffix("}") else { return nil }
        let inner = text.dropFirst(2).dropLast()
        if inner.hasPrefix("env:") {
            let name = String(inner.dropFirst(4))
            let bare = name.replacingOccurrences(of: "{service}", with: "X")
            let isName = bare.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                    || byte == UInt8(ascii: "_")
            }
            guard isName, !bare.isEmpty else { return nil }
            self = .environment(name: name)
        } else if inner.hasPrefix("file:") {
            let path = String(inner.dropFirst(5))
            let isPath = !path.unicodeScalars.contains { $0.properties.generalCategory == .control }
            guard isPath, !path.isEmpty else { return nil }
            self = .file(path: path.hasPrefix("/") ? path : folder + "/" + path)
        } else {
            return nil
        }
    }
}
