import PostgreSQL
import ShopSimulators

/// What the shops' journals say about how they were written to.
public struct WriteAudit: Sendable {
    /// Writes of an older level after a newer one, as sentences.
    public var stale: [String] = []
    /// Items with more than one write in progress at once, as sentences.
    public var overlapping: [String] = []
    /// Calls that a shop answered with 429.
    public var throttled = 0

    /// Everything that should not have happened.
    public var findings: [String] { stale + overlapping + (throttled == 0 ? [] : ["\(throttled) answers 429"]) }

    /// Compares each shop's journal with the history of every shelf's wanted level.
    public init(_ stack: ProcessStack) async throws {
        for (shop, simulator) in stack.shops.sorted(by: { $0.key < $1.key }) {
            let statistics = simulator.statistics
            throttled += statistics.throttled
            overlapping += statistics.overlappingWrites.sorted { $0.key < $1.key }.map {
                "\(shop) \($0.key): \($0.value) writes at once"
            }
            let history = try await Self.history(of: shop, in: stack)
            let writes = simulator.journal.filter { $0.source == .api || $0.source == .late }
            for (key, entries) in Dictionary(grouping: writes, by: \.id) {
                let item = ShopRules.of(shop).item(ofKey: key)
                let levels = entries.compactMap(\.after)
                if let write = Self.firstStale(levels, history: history[item] ?? []) {
                    stale.append("\(shop) \(item): \(write) among \(levels), wanted were \(history[item] ?? [])")
                }
            }
        }
    }

    private static func history(of shop: String, in stack: ProcessStack) async throws -> [String: [Int]] {
        let rows = try await stack.rows(
            """
            SELECT shelf, wanted FROM publishing.shelf_versions
            WHERE shop = $1 AND wanted IS NOT NULL ORDER BY shelf, version
            """, [.text(shop)])
        var history: [String: [Int]] = [:]
        for row in rows {
            let item = ShopRules.of(shop).item(ofShelf: try row.decode(at: 0))
            history[item, default: []].append(try row.decode(at: 1))
        }
        return history
    }

    /// The first write that is older than the one before it. Each write is taken for the earliest version, from the
    /// last
    /// write's on, that wanted its level; so a level that comes back (5, 4, 5) is not mistaken for an old one.
    static func firstStale(_ writes: [Int], history: [Int]) -> Int? {
        var position = 0
        for write in writes {
            guard let found = history[position...].firstIndex(of: write) else { return write }
            position = found
        }
        return nil
    }
}
