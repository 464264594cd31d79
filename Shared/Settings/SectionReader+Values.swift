internal import Domain
internal import Yams

// One method per kind of value. Each returns the default where the key is absent, and a stand-in after a complaint.
extension SectionReader {
    // MARK: Text

    /// Text that must be there.
    func text(_ key: String) -> String {
        string(key, KeyFact(type: "string", isRequired: true), fallback: nil) ?? ""
    }

    /// Text with a default.
    func text(_ key: String, default fallback: String) -> String {
        string(key, KeyFact(type: "string", defaultValue: .text(fallback)), fallback: fallback) ?? fallback
    }

    /// Text that may be absent.
    func optionalText(_ key: String) -> String? {
        string(key, KeyFact(type: "string"), fallback: nil)
    }

    private func string(_ key: String, _ fact: KeyFact, fallback: String?) -> String? {
        guard let entry = take(key, fact) else {
            record(key, fallback.map(SettingsValue.text) ?? .null)
            return fallback
        }
        guard let value = plainText(entry.node, path: pathOf(key)) else { return nil }
        record(key, .text(value))
        return value
    }

    /// The text of a scalar; complains about anything else, about nothing at all and about control characters.
    func plainText(_ node: Node, path: String) -> String? {
        let here = Place(node.mark, or: place)
        guard let scalar = node.scalar else {
            log.report(path, here, "must be a text, not \(kind(of: node))")
            return nil
        }
        guard !isNull(scalar), !scalar.string.isEmpty else {
            log.report(path, here, "is empty", suggestion: "write a value, or remove the line")
            return nil
        }
        guard !scalar.string.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            log.report(path, here, "must not contain line breaks or control characters")
            return nil
        }
        return scalar.string
    }

    // MARK: Numbers

    /// A whole number within a range.
    func integer(_ key: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
        let fact = KeyFact(
            type: "integer", defaultValue: .number("\(fallback)"), minimum: Double(range.lowerBound),
            maximum: Double(range.upperBound))
        let value = number(key, fact, what: "a whole number", parse: wholeNumber) ?? fallback
        check(key, range.contains(value), "\(value)", "from \(range.lowerBound) to \(range.upperBound)")
        record(key, .number("\(value)"))
        return value
    }

    /// A whole number whose default depends on another setting.
    func integer(_ key: String, derived fallback: Int, in range: ClosedRange<Int>) -> Int {
        let fact = KeyFact(
            type: "integer", minimum: Double(range.lowerBound), maximum: Double(range.upperBound))
        let value = number(key, fact, what: "a whole number", parse: wholeNumber) ?? fallback
        check(key, range.contains(value), "\(value)", "from \(range.lowerBound) to \(range.upperBound)")
        record(key, .number("\(value)"))
        return value
    }

    /// A number with a fraction within a range, where exactness does not matter.
    func decimal(_ key: String, default fallback: Double, in range: ClosedRange<Double>) -> Double {
        let fact = KeyFact(
            type: "number", defaultValue: .number(canonical(fallback)), minimum: range.lowerBound,
            maximum: range.upperBound)
        let value = number(key, fact, what: "a number") { Quantity($0) == nil ? nil : Double($0) } ?? fallback
        check(
            key, range.contains(value), canonical(value),
            "from \(canonical(range.lowerBound)) to \(canonical(range.upperBound))")
        record(key, .number(canonical(value)))
        return value
    }

    /// An exact quantity, 0 or more.
    func quantity(_ key: String, default fallback: Quantity) -> Quantity {
        let limit = Quantity(1_000_000_000)
        let fact = KeyFact(
            type: "number", defaultValue: .number(fallback.description), minimum: 0,
            maximum: Double(limit.flooredUnits))
        let what = "a number with at most six decimal places"
        let value = number(key, fact, what: what) { Quantity($0) } ?? fallback
        check(key, value >= .zero && value <= limit, value.description, "from 0 to \(limit)")
        record(key, .number(value.description))
        return value
    }

    /// A share between 0 and 1.
    func share(_ key: String, default fallback: Share) -> Share {
        let fact = KeyFact(type: "number", defaultValue: .number(fallback.description), minimum: 0, maximum: 1)
        let what = "a number from 0 to 1 with at most six decimal places, such as 0.25"
        let value = number(key, fact, what: what) { Share($0) } ?? fallback
        record(key, .number(value.description))
        return value
    }

    private func number<Value>(
        _ key: String, _ fact: KeyFact, what: String, parse: (String) -> Value?
    ) -> Value? {
        guard let entry = take(key, fact) else { return nil }
        guard let scalar = entry.node.scalar else {
            report(key, "must be \(what), not \(kind(of: entry.node))")
            return nil
        }
        guard scalar.style == .plain || scalar.style == .any else {
            report(key, "must be \(what), not text in quotes", suggestion: "remove the quotes")
            return nil
        }
        guard let value = parse(scalar.string) else {
            report(key, "must be \(what), not \(isNull(scalar) ? "empty" : quoted(scalar.string))")
            return nil
        }
        return value
    }

    /// Plain digits only: YAML 1.1 would read 010 as eight and 1:30 as ninety.
    private func wholeNumber(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard let first = digits.utf8.first, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard first != 0x30 || digits.utf8.count == 1 else { return nil }
        return Int(text)
    }

    private func check(_ key: String, _ isInside: Bool, _ value: String, _ range: String) {
        if !isInside { report(key, "\(value) is outside the range \(range)") }
    }

    // MARK: Words

    /// true or false.
    func boolean(_ key: String, default fallback: Bool) -> Bool {
        let fact = KeyFact(type: "boolean", defaultValue: .boolean(fallback))
        guard let entry = take(key, fact) else {
            record(key, .boolean(fallback))
            return fallback
        }
        switch entry.node.scalar?.string {
        case "true": record(key, .boolean(true))
        case "false": record(key, .boolean(false))
        case let other:
            report(key, "must be true or false, not \(other.map(quoted) ?? kind(of: entry.node))")
            return fallback
        }
        return entry.node.scalar?.string == "true"
    }

    /// One word of a list, with a default.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Choice, spelled also: [String: Choice] = [:]
    ) -> Choice where Choice.RawValue == String {
        let fact = KeyFact(
            type: "string", defaultValue: .text(fallback.rawValue), choices: words(of: Choice.self, also))
        guard let entry = take(key, fact) else {
            record(key, .text(fallback.rawValue))
            return fallback
        }
        return choice(entry.node, key, also: also) ?? fallback
    }

    /// One word of a list that must be there; nil after a complaint.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        let fact = KeyFact(type: "string", isRequired: true, choices: words(of: type, [:]))
        guard let entry = take(key, fact) else { return nil }
        return choice(entry.node, key, also: [:])
    }

    private func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: Node, _ key: String, also: [String: Choice]
    ) -> Choice? where Choice.RawValue == String {
        guard let word = node.scalar?.string else {
            report(key, "must be one word, not \(kind(of: node))")
            return nil
        }
        guard let value = Choice(rawValue: word) ?? also[word] else {
            let possible = words(of: Choice.self, also)
            report(key, "\(quoted(word)) is not possible", suggestion: Suggestion.sentence(for: word, among: possible))
            return nil
        }
        record(key, .text(value.rawValue))
        return value
    }

    private func words<Choice: RawRepresentable & CaseIterable>(
        of type: Choice.Type, _ also: [String: Choice]
    ) -> [String] where Choice.RawValue == String {
        type.allCases.map(\.rawValue) + also.keys.sorted()
    }

    // MARK: Helpers

    /// Whether a scalar is YAML's null, written or left out.
    func isNull(_ scalar: Node.Scalar) -> Bool {
        (scalar.style == .plain || scalar.style == .any) && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// A node's kind in words, for complaints.
    func kind(of node: Node) -> String {
        switch node {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .scalar(let scalar): isNull(scalar) ? "nothing" : quoted(scalar.string)
        case .alias: "an alias"
        }
    }
}

/// A number in its shortest decimal writing: 10 and 0.2, not 10.0.
func canonical(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : "\(value)"
}
