import DeadLetters
import Domain
import Foundation
import PostgreSQL
import TestStack
import Testing

@testable import Stockbridge

@Suite("What the tool says about what is no longer kept", .timeLimit(.minutes(20)))
struct RetentionReadingTests {
    private static let listing = """
        INSERT INTO publishing.listings (shop, listing, shelf, sku, title, stock_managed, published, observed_at,
            catalogue_run, mapping, erp_code, units_per_pack, via)
        VALUES ('hanoi', '310', '310', 'S-1', 'Soap', true, true, now(), 'r', 'mapped', 'NHH-1', 1, 'exact');
        INSERT INTO publishing.shelves (shop, shelf, version, sent_version, confirmed_version)
        VALUES ('hanoi', '310', 9, 9, 3);
        """

    /// A file that went live so many days ago.
    private static func file(_ number: Int, _ state: String, days: Int, removed: Bool = false) -> String {
        """
        INSERT INTO stock.snapshots (id, source, sequence, file_name, file_id, digest, as_of, received_at, run_id,
            state, rows_read, rows_aggregated, rows_set_aside, rows_removed_at)
        VALUES ('\(id(number))', 'erp', \(number), 'file-\(number)', gen_random_uuid(), '\(number)',
            now() - interval '\(days) days', now() - interval '\(days) days', 'r', '\(state)', 3, 2, 1,
            \(removed ? "now() - interval '1 day'" : "NULL"));
        """
    }

    private static func id(_ number: Int) -> String { "4f1c000\(number)-0000-4000-8000-000000000000" }

    private static func row(_ number: Int, onHand: Int) -> String {
        """
        INSERT INTO stock.snapshot_rows (snapshot_id, sku, warehouse, on_hand, line)
        VALUES ('\(id(number))', 'NHH-1', 'HN', \(onHand), 7);
        """
    }

    private static func version(_ number: Int, days: Int) -> String {
        """
        INSERT INTO publishing.shelf_versions (shop, shelf, version, wanted, cause_kind, cause_id, decided_at,
            breakdown)
        VALUES ('hanoi', '310', \(number), \(number), 'stock', 'x', now() - interval '\(days) days', 'null');
        """
    }

    private static func explain(
        _ system: LetterSystem, daysAgo: Double? = nil
    ) async throws -> (Explanation, text: String) {
        let past = daysAgo.map { Date().addingTimeInterval(-$0 * 86_400) }
        let found = try await ExplainStore(database: system.database).explain(shop: "hanoi", key: "S-1", past: past)
        let explanation = try #require(found)
        let wording = Wording(timeZone: .gmt)
        return (explanation, ExplanationText(explanation: explanation, wording: wording, style: .plain).text)
    }

    @Test("explain names the file whose rows have left, and shows what has not changed since")
    func files() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                Self.listing + Self.file(1, "replaced", days: 400, removed: true)
                    + Self.file(2, "replaced", days: 200, removed: true) + Self.file(3, "replaced", days: 50)
                    + Self.file(4, "live", days: 1) + Self.row(3, onHand: 30) + Self.row(4, onHand: 40))
            let gone = try await Self.explain(system, daysAgo: 150)
            #expect(gone.0.files.isEmpty && gone.0.filesWithoutRows == ["file-2"])
            #expect(gone.text.contains("file-2 was live then; its rows are no longer kept"))
            #expect(!gone.text.contains("No file has said anything"))
            let kept = try await Self.explain(system, daysAgo: 20)
            #expect(kept.0.files.map(\.onHand) == ["30"] && kept.0.filesWithoutRows.isEmpty)
            // The live row has been what it is since the second file.
            try await system.system.administrate(
                """
                INSERT INTO stock.live (source, sku, warehouse, on_hand, line, snapshot_id)
                VALUES ('erp', 'NHH-1', 'HN', 20, 7, '\(Self.id(2))')
                """)
            let unchanged = try await Self.explain(system, daysAgo: 150)
            #expect(unchanged.0.files.map(\.onHand) == ["20"] && unchanged.0.files.first?.file == "file-2")
            #expect(unchanged.text.contains("What has not changed since is known"))
            let before = try await Self.explain(system, daysAgo: 300)
            #expect(before.0.files.isEmpty && before.0.filesWithoutRows == ["file-1"])
        }
    }

    @Test("explain does not take an older version for the one that was wanted, and says that others have left")
    func versions() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                Self.listing + Self.version(3, days: 300) + Self.version(8, days: 90) + Self.version(9, days: 1))
            let present = try await Self.explain(system)
            #expect(present.0.versions.map(\.version) == [9, 8, 3])
            #expect(present.0.versionsAreMissing && !present.0.wantedIsMissing)
            #expect(present.text.contains("Other versions are no longer kept"))
            #expect(present.text.contains("Older pushes are no longer kept"))
            let gone = try await Self.explain(system, daysAgo: 200)
            #expect(gone.0.wantedIsMissing)
            #expect(
                gone.text.contains("Which level was wanted then is no longer known: versions are kept for 100 days."))
            #expect(!gone.text.contains("Nothing was sent yet."))
            let kept = try await Self.explain(system, daysAgo: 30)
            #expect(kept.0.versions.first?.version == 8 && !kept.0.wantedIsMissing)
        }
    }

    @Test("explain says nothing of that where all there ever was is kept")
    func whole() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                Self.listing + (1...9).map { Self.version($0, days: 50 - $0) }.joined() + Self.file(1, "live", days: 2)
                    + Self.row(1, onHand: 4))
            for days in [nil, 20] as [Double?] {
                let explained = try await Self.explain(system, daysAgo: days)
                #expect(!explained.text.contains("no longer"))
            }
            #expect(try await Self.explain(system).text.contains("Nothing was sent yet."))
        }
    }

    @Test("a file whose rows have left says so, and how many there were")
    func show() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                Self.file(1, "replaced", days: 400, removed: true) + Self.file(2, "live", days: 1))
            let store = SnapshotStore(database: system.database)
            let text = SnapshotText(wording: Wording(timeZone: .gmt), style: .plain, now: Date())
            let removed = text.detail(
                try await store.detail(IDPrefix("4f1c0001", of: "snapshot"), rows: 5))
            #expect(removed.contains("3 read = 2 counted + 1 set aside"))
            #expect(removed.contains("Its rows are no longer kept") && !removed.contains("--rows shows them"))
            let kept = text.detail(try await store.detail(IDPrefix("4f1c0002", of: "snapshot"), rows: 5))
            #expect(!kept.contains("no longer kept"))
        }
    }

    @Test("a letter that is not there may have left, and a list says so where it reaches so far back")
    func letters() async throws {
        try await LetterSystem.with { system in
            try await system.store([.init(state: "archived")])
            let reader = LetterReader(database: system.database)
            let unknown = await #expect(throws: ToolError.self) { _ = try await reader.detail(999) }
            #expect("\(String(describing: unknown))".contains("leave after 400 days"))
            let now = Date(timeIntervalSince1970: 1_795_302_600 + 600)
            func reaches(_ since: Date?, shop: String? = nil) async throws -> Bool {
                var filter = LetterFilter(state: nil)
                (filter.since, filter.shop) = (since, shop)
                return filter.reachesBeyond(try await reader.page(filter, limit: 5), now: now)
            }
            #expect(try await reaches(now.addingTimeInterval(-401 * 86_400)))
            #expect(try await !reaches(now.addingTimeInterval(-399 * 86_400)))
            #expect(try await !reaches(nil))
            #expect(try await reaches(nil, shop: "hue"), "nothing was found")
        }
    }
}
