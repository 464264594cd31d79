import Contracts
import Domain

/// Packs codes into chunks of bounded size, in the order they come; no I/O.
struct ChunkBuilder {
    let snapshot: StockAggregated.SnapshotIdentity
    let parts: Int
    let limit: Int
    private var part = 0
    private var skus: [StockAggregated.SKU] = []
    private var missing: [ERPCode] = []

    /// How many chunks so many codes make.
    static func parts(of codes: Int, limit: Int = StockAggregated.maximumCodesPerChunk) -> Int {
        (codes + limit - 1) / limit
    }

    /// - Parameter codes: How many will come, missing ones included.
    init(
        snapshot: StockAggregated.SnapshotIdentity, codes: Int, limit: Int = StockAggregated.maximumCodesPerChunk
    ) {
        self.snapshot = snapshot
        self.limit = limit
        parts = Self.parts(of: codes, limit: limit)
    }

    /// Adds one warehouse of a code; all of a code come one after the other.
    ///
    /// - Returns: A chunk that was full before this code.
    mutating func add(_ code: ERPCode, _ row: StockAggregated.Row) -> StockAggregated.Chunk? {
        if skus.last?.sku == code {
            skus[skus.count - 1].rows.append(row)
            return nil
        }
        let full = takeIfFull()
        skus.append(StockAggregated.SKU(sku: code, rows: [row]))
        return full
    }

    /// Adds a code that is missing and kept.
    mutating func add(missing code: ERPCode) -> StockAggregated.Chunk? {
        let full = takeIfFull()
        missing.append(code)
        return full
    }

    /// The last chunk, if anything is left.
    mutating func finish() -> StockAggregated.Chunk? {
        skus.isEmpty && missing.isEmpty ? nil : take()
    }

    private mutating func takeIfFull() -> StockAggregated.Chunk? {
        skus.count + missing.count >= limit ? take() : nil
    }

    private mutating func take() -> StockAggregated.Chunk {
        part += 1
        defer { (skus, missing) = ([], []) }
        return StockAggregated.Chunk(snapshot: snapshot, part: part, parts: parts, skus: skus, missing: missing)
    }
}
