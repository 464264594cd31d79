import Contracts
import Domain
import Foundation
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import StockPublisher

@Suite("The query over open lines and Domain's rule for one line", .timeLimit(.minutes(20)))
struct OpenLineAgreementTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    private struct Case {
        var shop: ShopName
        var code: ERPCode
        var line: OpenLine
        var reported: Quantity?
    }

    private static func random(_ random: inout SystemRandomNumberGenerator) -> Case {
        let quantity = Quantity(Int.random(in: 0...5, using: &random))
        let isReported = Bool.random(using: &random)
        let isPresent = Int.random(in: 0...3, using: &random) > 0
        let at = now.addingTimeInterval(Double(Int.random(in: -20...5, using: &random)) * 600)
        return Case(
            shop: ["a", "b", "c"].randomElement(using: &random).map { ShopName($0) } ?? "a",
            code: ["X", "Y"].randomElement(using: &random).map { ERPCode($0) } ?? "X",
            line: OpenLine(
                quantity: quantity, reportSentAt: isReported && isPresent ? at : nil,
                reservedUntil: Int.random(in: 0...2, using: &random) == 0
                    ? now.addingTimeInterval(Double(Int.random(in: -2...2, using: &random)) * 60) : nil,
                isCancelled: Int.random(in: 0...4, using: &random) == 0),
            reported: isReported ? (isPresent ? quantity : quantity + 1) : nil)
    }

    @Test("they agree on random lines, whatever was reported, cancelled or left unpaid")
    func agreement() async throws {
        let services = ServiceCatalogue.services(shops: ["a"])
        try await ScratchSystem.with(services) { system in
            let pool = PostgresPool(system.database(.stockPublisher), maximumConnections: 1)
            var generator = SystemRandomNumberGenerator()
            let cases = (0..<600).map { _ in Self.random(&generator) }
            try await Self.insert(cases, pool)
            var cutoffs: [Date?] = [nil]
            for _ in 0..<20 { cutoffs.append(Self.now.addingTimeInterval(Double(Int.random(in: -22...6)) * 600)) }
            for pool in [["a"], ["a", "b"], ["b", "c"]] as [[ShopName]] {
                let scopes = Set(
                    cutoffs.flatMap { cutoff in
                        ["X", "Y"].map { OpenLineStore.Scope(code: $0, cutoff: cutoff, pool: pool) }
                    })
                let found = try await system.open(scopes, at: Self.now)
                for scope in scopes {
                    let expected = cases.reduce(Quantity.zero) { sum, entry in
                        let counts =
                            entry.code == scope.code && scope.pool.contains(entry.shop)
                            && entry.line.counts(upTo: scope.cutoff, at: Self.now)
                        return counts ? sum + entry.line.quantity : sum
                    }
                    #expect(found[scope] ?? .zero == expected, "\(scope)")
                }
            }
            await pool.close()
        }
    }

    private static func insert(_ cases: [Case], _ pool: PostgresPool) async throws {
        try await pool.transaction { transaction in
            var rows: [OpenLineStore.Row] = []
            for (index, entry) in cases.enumerated() {
                let order = OrderReference(shop: entry.shop, externalID: "\(index)")
                rows.append(
                    OpenLineStore.Row(
                        order: order, line: "1", code: entry.code, quantity: entry.line.quantity, listing: nil,
                        shelf: nil, taken: 0, reservedUntil: entry.line.reservedUntil,
                        isOpen: entry.line.counts(upTo: nil, at: .distantPast), isReflected: false))
            }
            try OpenLineStore.save(rows, in: transaction)
            for (index, entry) in cases.enumerated() {
                guard let reported = entry.reported else { continue }
                _ = try OpenLineStore.report(
                    [(order: "\(index)", line: "1", quantity: reported)], of: entry.shop,
                    sentAt: entry.line.reportSentAt ?? now.addingTimeInterval(-86_400), in: transaction)
            }
        }
    }
}

extension ScratchSystem {
    /// The open units as stock-publisher's query finds them.
    func open(_ scopes: Set<OpenLineStore.Scope>, at now: Date) async throws -> [OpenLineStore.Scope: Quantity] {
        let pool = PostgresPool(database(.stockPublisher), maximumConnections: 1)
        let found = try await pool.transaction { transaction in
            try OpenLineStore.open(scopes, at: now, in: transaction)
        }
        await pool.close()
        return found
    }
}
