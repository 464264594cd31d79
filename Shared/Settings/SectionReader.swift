internal import Yams

/// Reads one mapping of the file: typed values, defaults, and a complaint about everything that does not fit.
///
/// A method that finds something wrong reports it and returns a stand-in, so that reading goes on; the stand-in never
/// leaves the loader, because a reported problem makes it throw. What is read is recorded as the effective value, and
/// every key that was asked for is known, so unknown keys are what remains.
final class SectionReader {
    struct Entry {
        let place: Place
        let node: Node
    }

    let log: ProblemLog
    /// Where this mapping is, such as `shops[2].limits`; empty for the whole file.
    let path: String
    /// The same without indices: `shops[].limits`.
    let shape: String
    /// Where the mapping starts.
    let place: Place
    private(set) var entries: [String: Entry] = [:]
    private(set) var order: [String] = []
    private var asked: Set<String> = []
    private(set) var effective: [SettingsValue.Entry] = []

    /// - Parameter mapping: nil where the section is absent and only defaults are to be had.
    init(_ mapping: Node.Mapping?, path: String, shape: String, place: Place, log: ProblemLog) {
        self.log = log
        self.path = path
        self.shape = shape
        self.place = place
        guard let mapping else { return }
        add(mapping)
        for case .mapping(let merged) in mergedNodes(of: mapping) { add(merged) }
    }

    // MARK: Entries

    private func mergedNodes(of mapping: Node.Mapping) -> [Node] {
        guard let node = mapping.first(where: { $0.key.scalar?.string == "<<" })?.value else { return [] }
        let nodes: [Node] = if case .sequence(let list) = node { Array(list) } else { [node] }
        for other in nodes where other.mapping == nil {
            log.report(
                path, Place(other.mark, or: place), "what is merged with << must be a mapping",
                suggestion: "refer to one with *name")
        }
        return nodes
    }

    private func add(_ mapping: Node.Mapping) {
        for (key, node) in mapping {
            let here = Place(key.mark, or: place)
            guard let name = key.scalar?.string else {
                log.report(path, here, "a key must be a plain word")
                continue
            }
            if name == "<<" { continue }
            if let original = DuplicateKeys.original(of: name) {
                reportDuplicate(original, first: here, in: mapping)
                continue
            }
            guard entries[name] == nil else { continue }  // what the mapping says itself wins over what it merges
            order.append(name)
            entries[name] = Entry(place: here, node: node)
        }
    }

    private func reportDuplicate(_ name: String, first: Place, in mapping: Node.Mapping) {
        let last = mapping.first { $0.key.scalar?.string == name }?.key.mark
        log.report(
            pathOf(name), Place(last, or: first), "is set twice in the same mapping (also in line \(first.line))",
            suggestion: "keep one of the two")
    }

    /// The path of a key of this mapping.
    func pathOf(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The shape of a key of this mapping.
    func shapeOf(_ key: String) -> String { shape.isEmpty ? key : "\(shape).\(key)" }

    /// Marks a key as known and returns what stands under it, null counting as absent only where nothing is written.
    ///
    /// - Parameter shape: The key's shape, where it is not the section's with the key.
    func take(_ key: String, _ fact: KeyFact, shape: String? = nil) -> Entry? {
        asked.insert(key)
        log.note(fact, of: shape ?? shapeOf(key))
        guard let entry = entries[key] else {
            log.note(pathOf(key), at: place)
            if fact.isRequired { reportMissing(key) }
            return nil
        }
        log.note(pathOf(key), at: entry.place)
        return entry
    }

    /// Counts every key as known, where it cannot be said which ones are.
    func takeEverything() { asked.formUnion(order) }

    /// Whether the file writes the key at all.
    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Where the key is written, or the section if it is not.
    func placeOf(_ key: String) -> Place { entries[key]?.place ?? place }

    func record(_ key: String, _ value: SettingsValue) {
        effective.append(SettingsValue.Entry(key: key, value: value))
    }

    /// Takes back what was recorded for a key that means nothing beside another one.
    func forget(_ key: String) { effective.removeAll { $0.key == key } }

    // MARK: Complaints

    func reportMissing(_ key: String, because reason: String? = nil) {
        let written = order.filter { !asked.contains($0) }
        let slip = Suggestion.nearest(to: key, among: written).map { "did you mean it by \(quoted($0))?" }
        log.report(
            pathOf(key), place, "is missing\(reason.map { ", \($0)" } ?? "")", suggestion: slip ?? "add it")
    }

    func report(_ key: String, _ message: String, suggestion: String? = nil) {
        log.report(pathOf(key), placeOf(key), message, suggestion: suggestion)
    }

    func warn(_ key: String, _ message: String) {
        log.warn(pathOf(key), placeOf(key), message)
    }

    /// Complains about keys that nobody asked for. Keys that start with `x-` are the writer's own (anchors, notes).
    func reportUnknownKeys() {
        for name in order where !asked.contains(name) && !name.hasPrefix("x-") {
            report(
                name, "is not a setting here",
                suggestion: Suggestion.sentence(for: name, among: asked.sorted()))
        }
    }
}

extension Place {
    init(_ mark: Mark?, or other: Place) {
        self = mark.map { Place(line: $0.line, column: $0.column) } ?? other
    }
}
