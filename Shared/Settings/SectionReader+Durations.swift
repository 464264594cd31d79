// Delays such as 5s, 2m, 1h.
extension SectionReader {
    /// The tiers where the file names none.
    static let defaultTiers = ["5s", "30s", "2m", "10m", "1h"]

    /// - Parameter other: What holds where the key is absent; nil for the defaults.
    func tiers(over other: [StockbridgeConfiguration.RetryTier]? = nil) -> [StockbridgeConfiguration.RetryTier] {
        let fallback = SettingsValue.list(Self.defaultTiers.map(SettingsValue.text))
        let entry = take("tiers", KeyFact(type: "array", defaultValue: other == nil ? fallback : nil))
        if entry == nil, let other {
            record("tiers", .list(other.map { .text($0.name) }))
            return other
        }
        let items = entry.map { texts($0.node, path: pathOf("tiers"), isRequired: true) }
        var tiers: [StockbridgeConfiguration.RetryTier] = []
        for item in items ?? Self.defaultTiers.map({ Item(text: $0, path: pathOf("tiers"), place: place) }) {
            guard let tier = StockbridgeConfiguration.RetryTier(item.text) else {
                log.report(
                    item.path, item.place, noDelay(item.text), suggestion: howToWriteADelay)
                continue
            }
            if let last = tiers.last, last.seconds >= tier.seconds {
                log.report(
                    item.path, item.place, "\(quoted(item.text)) is not longer than the tier before it",
                    suggestion: "list every delay once, shortest first")
            }
            tiers.append(tier)
        }
        record("tiers", .list(tiers.map { .text($0.name) }))
        return tiers
    }

    func noDelay(_ text: String) -> String { "\(quoted(text)) is no delay between 1s and 24h" }

    var howToWriteADelay: String { "write a whole number and s, m or h, such as 30s" }
}

extension StockbridgeConfiguration.RetryTier {
    /// Reads `5s`, `2m` or `1h`; nil for anything else, for nothing and for more than a day.
    init?(_ text: String) {
        guard let unit = text.last, let factor = ["s": 1, "m": 60, "h": 3600][unit] else { return nil }
        let digits = text.dropLast()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(digits) else { return nil }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow, (1...86_400).contains(seconds) else { return nil }
        self.init(seconds: seconds)
    }

    /// A tier of so many seconds, under its shortest name.
    init(seconds: Int) {
        let name =
            switch seconds {
            case let value where value % 3600 == 0: "\(value / 3600)h"
            case let value where value % 60 == 0: "\(value / 60)m"
            default: "\(seconds)s"
            }
        self.init(name: name, seconds: seconds)
    }
}
