// One host or several, each perhaps with a port of its own.
extension SectionReader {
    /// A host as the file writes it.
    struct Host {
        let name: String
        /// The port behind the name, where one is written.
        let port: Int?
    }

    /// A host name or address that must be there, or a list of them; each may end in `:port`.
    func hosts(_ key: String) -> [Host] {
        let items = texts(key, isRequired: true)
        if items.count == 1, let only = items.first {
            forget(key)
            record(key, .text(only.text))
        }
        reportRepeated(items, what: "it is")
        return items.compactMap { item in
            guard let host = Host(item.text) else {
                log.report(
                    item.path, item.place, "\(quoted(item.text)) is no host name",
                    suggestion: "write the name or address alone, or with :port behind it")
                return nil
            }
            return host
        }
    }

    /// The hosts with the port that is meant where none is written.
    func servers(_ hosts: [Host], port: Int) -> [StockbridgeConfiguration.ServerAddress] {
        hosts.map { StockbridgeConfiguration.ServerAddress(host: $0.name, port: $0.port ?? port) }
    }
}

extension SectionReader.Host {
    /// Reads `name`, `name:port`, an IPv6 address, or `[address]:port`; nil for anything else.
    init?(_ text: String) {
        let parts = Self.split(text)
        let isAddress = parts.name.contains(":") && parts.name.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        let isName = parts.name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" }
        guard !parts.name.isEmpty, isAddress || isName else { return nil }
        name = parts.name
        guard let digits = parts.port else {
            port = nil
            return
        }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
            (1...65_535).contains(number)
        else { return nil }
        port = number
    }

    private static func split(_ text: String) -> (name: String, port: Substring?) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            let name = String(text[text.index(after: text.startIndex)..<end])
            // What is neither nothing nor a port makes the port unreadable, and so the whole text.
            return (name, rest.isEmpty ? nil : rest.hasPrefix(":") ? rest.dropFirst() : "?")
        }
        guard let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon else { return (text, nil) }
        return (String(text[..<colon]), text[text.index(after: colon)...])
    }
}
