import Contracts
internal import Yams

// `retry`: what holds for all services, and what each has of its own.
extension SectionReader {
    private typealias Configuration = StockbridgeConfiguration

    func retry() -> StockbridgeConfiguration.Retry {
        let attempts = section(withDefaults: "max_attempts") { section in
            ServiceName.daemons.map { service in
                let fallback = Configuration.Retry.defaultMaxAttempts
                let line = section.has(service.rawValue) ? section.placeOf(service.rawValue).line : nil
                let value = section.integer(service.rawValue, default: fallback, in: 1...100)
                return (service.rawValue, Attempts(value: min(max(value, 1), 100), line: line))
            }
        }
        let tiers = tiers()
        let outage = section(withDefaults: "outage") { $0.outage(over: nil) }
        let byName = Dictionary(attempts) { first, _ in first }
        let services = section(withDefaults: "services") { section in
            ServiceName.daemons.map { service in
                let name = service.rawValue
                let attempts = byName[name] ?? Attempts(value: Configuration.Retry.defaultMaxAttempts, line: nil)
                return (name, section.entry(name) { $0.policy(attempts: attempts, tiers: tiers, outage: outage) })
            }
        }
        return Configuration.Retry(
            tiers: tiers, outage: outage, services: Dictionary(services) { first, _ in first })
    }

    /// What `retry.max_attempts` says about a service, and where, if it does.
    private struct Attempts {
        let value: Int
        let line: Int?
    }

    private func policy(
        attempts: Attempts, tiers: [StockbridgeConfiguration.RetryTier], outage: StockbridgeConfiguration.Outage
    ) -> StockbridgeConfiguration.RetryPolicy {
        let own = integer("max_attempts", derived: attempts.value, in: 1...100)
        if let line = attempts.line, own != attempts.value {
            report(
                "max_attempts", "\(own) is not what line \(line) says about the same service (\(attempts.value))",
                suggestion: "remove the line in retry.max_attempts")
        }
        return Configuration.RetryPolicy(
            maxAttempts: own, tiers: self.tiers(over: tiers),
            jitterPercent: integer("jitter", default: Configuration.Retry.defaultJitterPercent, in: 0...90),
            errors: errorRules(), outage: section(withDefaults: "outage") { $0.outage(over: outage) })
    }

    /// - Parameter other: What holds where this section says nothing; nil for the defaults.
    private func outage(over other: StockbridgeConfiguration.Outage?) -> StockbridgeConfiguration.Outage {
        let key = "failures_in_a_row"
        let failures =
            other.map { integer(key, derived: $0.failuresInARow, in: 2...100) } ?? integer(key, default: 5, in: 2...100)
        let first = delay("first_probe", "5s", over: other?.firstProbe)
        let longest = delay("longest_probe", "1m", over: other?.longestProbe)
        if longest.seconds < first.seconds {
            report(
                has("longest_probe") ? "longest_probe" : "first_probe",
                "the first probe after \(first.name) would come later than the longest wait, \(longest.name)",
                suggestion: "make longest_probe at least \(first.name)")
        }
        // What is wrong here is not said again of each service that takes it over.
        return Configuration.Outage(
            failuresInARow: min(max(failures, 2), 100), firstProbe: first,
            longestProbe: longest.seconds < first.seconds ? first : longest)
    }

    /// One delay, such as 30s.
    private func delay(
        _ key: String, _ fallback: String, over other: StockbridgeConfiguration.RetryTier?
    ) -> StockbridgeConfiguration.RetryTier {
        let fact = KeyFact(type: "string", defaultValue: other == nil ? .text(fallback) : nil)
        var delay = other ?? Configuration.RetryTier(fallback) ?? Configuration.RetryTier(seconds: 1)
        if let entry = take(key, fact), let text = plainText(entry.node, path: pathOf(key)) {
            if let read = Configuration.RetryTier(text) {
                delay = read
            } else {
                report(key, noDelay(text), suggestion: howToWriteADelay)
            }
        }
        record(key, .text(delay.name))
        return delay
    }

    /// `errors`: codes with their class.
    private func errorRules() -> [StockbridgeConfiguration.ErrorRule] {
        var rules: [Configuration.ErrorRule] = []
        for (code, place, word) in namedWords("errors") {
            let path = pathOf("errors") + "." + code
            let isPrefix = code.hasSuffix("*")
            let plain = isPrefix ? String(code.dropLast()) : code
            let letters = plain.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
            }
            guard letters, plain.utf8.first.map({ (0x61...0x7A).contains($0) }) == true else {
                log.report(
                    path, place, "\(quoted(code)) is no error code",
                    suggestion: "write it as a dead letter shows it, such as shop.refused, or its beginning: shop.*")
                continue
            }
            guard let errorClass = Configuration.ErrorClass(rawValue: word) else {
                let possible = Configuration.ErrorClass.allCases.map(\.rawValue)
                log.report(
                    path, place, "\(quoted(word)) is no class of errors",
                    suggestion: Suggestion.sentence(for: word, among: possible))
                continue
            }
            rules.append(.init(code: plain, isPrefix: isPrefix, errorClass: errorClass))
        }
        return rules
    }
}
