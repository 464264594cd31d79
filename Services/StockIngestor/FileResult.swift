import Domain
import Foundation
import StockFiles

/// What became of one file; kept with the run, and part of the answer to its command.
struct FileResult: Codable, Sendable, Equatable {
    /// The states a file ends in. Those of a snapshot, and the two that leave none behind.
    enum State: String, Codable, Sendable {
        case live, held, unchanged, refused, unreadable
        /// The source could not be looked into.
        case failed
    }

    var source: String
    var file: String
    var state: State
    /// What happened, and what to do if anything.
    var message: String
    /// The snapshot's id, in lower case as everywhere else.
    var snapshot: String?
    var sequence: Int64?
    var asOf: Date?
    var rowsRead = 0
    var rowsAggregated = 0
    var rowsSetAside = 0
    var rowsMerged = 0
    var skus = 0
    var changedSkus = 0

    init(source: SourceName, file: String, state: State, message: String) {
        self.source = source.rawValue
        self.file = file
        self.state = state
        self.message = message
    }

    /// Whether the numbers of the file went live, wait for a person, or are live already.
    var hasNumbers: Bool { state == .live || state == .held }

    private enum CodingKeys: String, CodingKey {
        case source, file, state, message, snapshot, sequence, skus
        case asOf = "as_of"
        case rowsRead = "rows_read"
        case rowsAggregated = "rows_aggregated"
        case rowsSetAside = "rows_set_aside"
        case rowsMerged = "rows_merged"
        case changedSkus = "changed_skus"
    }

    mutating func count(_ counts: StockFileCounts, skus: Int) {
        rowsRead = counts.rowsRead
        rowsAggregated = counts.accepted
        rowsSetAside = counts.setAside
        rowsMerged = counts.duplicatesMerged
        self.skus = skus
    }
}

/// The answer to a `run`: the last file's figures at the top, every file below.
struct RunAnswer: Encodable, Sendable {
    private let results: [FileResult]
    private var message: String

    /// - Parameter quiet: What to say where there is no file.
    init(_ results: [FileResult], quiet: String) {
        self.results = results
        message = results.isEmpty ? quiet : results.map(\.message).joined(separator: " ")
    }

    /// The same answer with something said before it.
    func prefixed(_ text: String) -> RunAnswer {
        var copy = self
        copy.message = text + message
        return copy
    }

    private enum CodingKeys: String, CodingKey { case message, files }

    func encode(to encoder: any Encoder) throws {
        // The last file's own message is replaced by that of all files, which a keyed container does by writing later.
        try results.last?.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(message, forKey: .message)
        try values.encode(results, forKey: .files)
    }
}
