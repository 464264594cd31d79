/// Which statements the server keeps parsed for this connection, and which it may forget.
///
/// Bounded: the one used longest ago goes first. Only a pipeline with more distinct statements than the limit exceeds
/// it, until the next one.
struct PreparedStatements {
    enum Use: Equatable {
        /// The server knows it by this name.
        case known(String)
        /// It has to be sent under this name.
        case new(String)
    }

    private struct Entry {
        let name: String
        var lastUse: Int
    }

    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var namesGiven = 0
    private var round = 0
    /// Names the server still knows and nobody will use again.
    private(set) var discarded: [String] = []

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    /// Begins a pipeline: what is used from here on is not discarded before the next one.
    mutating func beginRound() { round += 1 }

    mutating func use(_ sql: String) -> Use {
        if let entry = entries[sql] {
            entries[sql]?.lastUse = round
            return .known(entry.name)
        }
        makeRoom()
        namesGiven += 1
        let name = "s\(namesGiven)"
        entries[sql] = Entry(name: name, lastUse: round)
        return .new(name)
    }

    private mutating func makeRoom() {
        while entries.count >= limit,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }), oldest.value.lastUse < round
        {
            entries[oldest.key] = nil
            discarded.append(oldest.value.name)
        }
    }

    /// The server never got to parse it.
    mutating func forget(_ sql: String) { entries[sql] = nil }

    /// The server forgot it.
    mutating func wasDeallocated(_ name: String) { discarded.removeAll { $0 == name } }

    /// Everything is to be parsed anew, for tables have changed under the statements.
    mutating func discardAll() {
        discarded += entries.values.map(\.name)
        entries.removeAll()
    }
}
