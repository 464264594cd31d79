import Contracts
import Domain
import Foundation
import Testing

@testable import StockIngestor

@Suite("How codes are packed into chunks")
struct ChunkBuilderTests {
    private let identity = StockAggregated.SnapshotIdentity(
        id: UUID(), source: "erp", sequence: 3, asOf: Date(timeIntervalSince1970: 1))

    /// Packs codes of two warehouses each, then missing ones.
    private func pack(codes: Int, missing: Int, limit: Int) -> [StockAggregated.Chunk] {
        var builder = ChunkBuilder(snapshot: identity, codes: codes + missing, limit: limit)
        var chunks: [StockAggregated.Chunk?] = []
        for code in 0..<codes {
            for warehouse in ["HCM", "HN"] {
                let row = StockAggregated.Row(warehouse: WarehouseName(warehouse), onHand: 1)
                chunks.append(builder.add(ERPCode("s\(code)"), row))
            }
        }
        for code in 0..<missing { chunks.append(builder.add(missing: ERPCode("m\(code)"))) }
        chunks.append(builder.finish())
        return chunks.compactMap(\.self)
    }

    @Test(
        "The number of chunks is known before the first leaves, and none exceeds the limit",
        arguments: [(0, 0), (1, 0), (0, 1), (3, 0), (4, 0), (2, 1), (3, 4), (7, 5)])
    func counts(codes: Int, missing: Int) {
        let chunks = pack(codes: codes, missing: missing, limit: 3)
        #expect(chunks.count == ChunkBuilder.parts(of: codes + missing, limit: 3))
        #expect(chunks.map(\.part) == Array(1..<(chunks.count + 1)))
        #expect(chunks.allSatisfy { $0.parts == chunks.count && $0.skus.count + $0.missing.count <= 3 })
        #expect(chunks.flatMap(\.skus).map(\.sku.rawValue) == (0..<codes).map { "s\($0)" })
        #expect(chunks.flatMap(\.missing).map(\.rawValue) == (0..<missing).map { "m\($0)" })
    }

    @Test("All warehouses of a code are in the chunk that names it")
    func selfContained() {
        for chunk in pack(codes: 10, missing: 0, limit: 3) {
            #expect(chunk.skus.allSatisfy { $0.rows.map(\.warehouse.rawValue) == ["HCM", "HN"] })
        }
    }
}
