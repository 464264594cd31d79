internal import Yams

// Sections, lists of sections and lists of texts.
extension SectionReader {
    /// A section that must be there.
    func section<Value>(_ key: String, _ body: (SectionReader) -> Value) -> Value {
        let entry = take(key, KeyFact(type: "object", isRequired: true))
        return read(key, entry, isMuted: entry == nil, body)
    }

    /// A section that consists of defaults where it is absent.
    func section<Value>(withDefaults key: String, _ body: (SectionReader) -> Value) -> Value {
        read(key, take(key, KeyFact(type: "object")), isMuted: false, body)
    }

    /// A section that may be absent as a whole. Its keys are asked for in any case, so that they are known.
    func optionalSection<Value>(_ key: String, _ body: (SectionReader) -> Value) -> Value? {
        guard let entry = take(key, KeyFact(type: "object")) else {
            let absent = SectionReader(nil, path: pathOf(key), shape: shapeOf(key), place: place, log: log)
            _ = log.muted { body(absent) }
            record(key, .null)
            return nil
        }
        return read(key, entry, isMuted: false, body)
    }

    private func read<Value>(
        _ key: String, _ entry: Entry?, isMuted: Bool, shape: String? = nil, _ body: (SectionReader) -> Value
    ) -> Value {
        var mapping: Node.Mapping?
        var isMuted = isMuted
        if let entry {
            mapping = entry.node.mapping
            if mapping == nil {
                report(key, "must be a mapping of settings, not \(kind(of: entry.node))")
                isMuted = true
            }
        }
        let child = SectionReader(
            mapping, path: pathOf(key), shape: shape ?? shapeOf(key), place: entry?.place ?? place, log: log)
        let value = isMuted ? log.muted { body(child) } : body(child)
        child.reportUnknownKeys()
        record(key, .mapping(child.effective))
        return value
    }

    /// One entry of a mapping whose keys are names: all entries have the same shape. Defaults where it is absent.
    func entry<Value>(_ name: String, _ body: (SectionReader) -> Value) -> Value {
        let entry = take(name, KeyFact(type: "object"), shape: shape + ".*")
        return read(name, entry, isMuted: false, shape: shape + ".*", body)
    }

    /// A mapping whose keys are words of the writer's own, each with one word.
    func namedWords(_ key: String) -> [(name: String, place: Place, word: String)] {
        guard let entry = take(key, KeyFact(type: "object", defaultValue: .mapping([]))) else {
            record(key, .mapping([]))
            return []
        }
        guard let mapping = entry.node.mapping else {
            report(key, "must be a mapping from names to words, not \(kind(of: entry.node))")
            return []
        }
        let child = SectionReader(mapping, path: pathOf(key), shape: shapeOf(key), place: entry.place, log: log)
        let words = child.order.compactMap { name -> (name: String, place: Place, word: String)? in
            guard let entry = child.entries[name] else { return nil }
            return child.plainText(entry.node, path: child.pathOf(name)).map { (name, entry.place, $0) }
        }
        record(key, .mapping(words.map { .init(key: $0.name, value: .text($0.word)) }))
        return words
    }

    /// A list of sections.
    ///
    /// - Parameter warningIfEmpty: What an empty list means; nil where there must be at least one entry.
    func list<Value>(_ key: String, warningIfEmpty: String? = nil, _ body: (SectionReader) -> Value) -> [Value] {
        guard let entry = take(key, KeyFact(type: "array", isRequired: true)) else { return [] }
        guard let sequence = entry.node.sequence else {
            report(key, "must be a list, not \(kind(of: entry.node))", suggestion: "start each entry with \"- \"")
            return []
        }
        if sequence.isEmpty {
            if let warningIfEmpty { warn(key, warningIfEmpty) } else { report(key, "must have at least one entry") }
        }
        var values: [Value] = []
        var records: [SettingsValue] = []
        for (index, node) in sequence.enumerated() {
            let path = "\(pathOf(key))[\(index)]"
            let here = Place(node.mark, or: entry.place)
            guard let mapping = node.mapping else {
                log.report(path, here, "must be a mapping of settings, not \(kind(of: node))")
                continue
            }
            log.note(path, at: here)
            let child = SectionReader(mapping, path: path, shape: "\(shapeOf(key))[]", place: here, log: log)
            values.append(body(child))
            child.reportUnknownKeys()
            records.append(.mapping(child.effective))
        }
        record(key, .list(records))
        return values
    }

    /// One text of a list and where it stands.
    struct Item {
        let text: String
        let path: String
        let place: Place
    }

    /// A list of texts; a single text counts as a list of one.
    ///
    /// - Parameter isRequired: Whether the key must be there with at least one text.
    func texts(_ key: String, isRequired: Bool) -> [Item] {
        let fact = KeyFact(type: "array", isRequired: isRequired, defaultValue: isRequired ? nil : .list([]))
        guard let entry = take(key, fact) else {
            record(key, .list([]))
            return []
        }
        let items = texts(entry.node, path: pathOf(key), isRequired: isRequired)
        record(key, .list(items.map { .text($0.text) }))
        return items
    }

    /// A list of at least one text, with a default.
    ///
    /// - Parameter fact: What is said about the key; it holds the default only where that is always the same.
    func texts(_ key: String, _ fact: KeyFact, default fallback: [String]) -> [Item] {
        let items =
            take(key, fact).map { texts($0.node, path: pathOf(key), isRequired: true) }
            ?? fallback.map { Item(text: $0, path: pathOf(key), place: place) }
        record(key, .list(items.map { .text($0.text) }))
        return items
    }

    func texts(_ node: Node, path: String, isRequired: Bool) -> [Item] {
        if case .scalar = node {
            return plainText(node, path: path).map { [Item(text: $0, path: path, place: Place(node.mark, or: place))] }
                ?? []
        }
        guard let sequence = node.sequence else {
            log.report(path, Place(node.mark, or: place), "must be a list of texts, not \(kind(of: node))")
            return []
        }
        if isRequired, sequence.isEmpty {
            log.report(path, Place(node.mark, or: place), "must have at least one entry")
        }
        return sequence.enumerated().compactMap { index, node in
            plainText(node, path: "\(path)[\(index)]").map {
                Item(text: $0, path: "\(path)[\(index)]", place: Place(node.mark, or: place))
            }
        }
    }

    /// A mapping whose keys are names of the writer's own, each with a list of texts.
    func namedTexts(_ key: String, isRequired: Bool) -> [(name: String, place: Place, items: [Item])] {
        let fact = KeyFact(type: "object", isRequired: isRequired, defaultValue: isRequired ? nil : .mapping([]))
        guard let entry = take(key, fact) else {
            record(key, .mapping([]))
            return []
        }
        guard let mapping = entry.node.mapping else {
            report(key, "must be a mapping from names to lists, not \(kind(of: entry.node))")
            return []
        }
        let child = SectionReader(mapping, path: pathOf(key), shape: shapeOf(key), place: entry.place, log: log)
        let named = child.order.compactMap { name -> (name: String, place: Place, items: [Item])? in
            guard let entry = child.entries[name] else { return nil }
            log.note(child.pathOf(name), at: entry.place)
            return (name, entry.place, child.texts(entry.node, path: child.pathOf(name), isRequired: true))
        }
        record(
            key,
            .mapping(
                named.map { .init(key: $0.name, value: .list($0.items.map { .text($0.text) })) }))
        return named
    }

    /// Reports every item that an earlier one of the list already says.
    func reportRepeated(_ items: [Item], what: String) {
        var seen: [String: Place] = [:]
        for item in items {
            if let first = seen[item.text] {
                log.report(
                    item.path, item.place, "\(quoted(item.text)) is listed twice (\(what) also in line \(first.line))",
                    suggestion: "remove one")
            }
            seen[item.text] = seen[item.text] ?? item.place
        }
    }
}
