import Contracts
import Foundation
import PostgreSQL
import SampleConfigurations
import ServiceKit
import Settings
import Testing

@testable import Stockbridge

@Suite("What after-restore says it did")
struct RestoreReportTests {
    @Test("Each shop's newest report is named, with what it is to be compared with")
    func newest() {
        var report = RestoreReport(dryRun: true)
        report.newestReports = [.init(shop: "hanoi", batch: "hanoi-20261122-1200"), .init(shop: "hue", batch: nil)]
        report.gapsAccepted = ["x.xlsx names hue-1 as the report before it, which is not in the folder."]
        report.shelvesToRead = 12_000
        let lines = report.text(SampleStatus.wording, now: SampleStatus.now).split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.contains("the last one in the ERP's mailbox") })
        #expect(lines.contains(" hanoi  hanoi-20261122-1200") && lines.contains(" hue    none"))
        #expect(lines.contains { $0.contains("accepted") && $0.contains("hue-1") })
        // The numbers stand below each other.
        let ends = Set(lines.filter { $0.hasSuffix(" 0") }.map(\.count))
        #expect(ends.count == 1)
        #expect(lines.contains(" shelves to be read back before they are written 12,000"))
        #expect(lines.allSatisfy { $0.count <= 120 })
    }

    @Test("The administrator's statements have no time limit: a person waits, and a whole table may be rewritten")
    func noTimeLimit() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // scratch files only
        try Data("secret".utf8).write(to: folder.appending(path: "secret"))
        let file = folder.appending(path: "stockbridge.yaml").path()
        let configuration = try ConfigurationLoader.load(text: Self.configuration, file: file)
        #expect(try configuration.administratorDatabaseConfiguration().statementTimeoutSeconds == 0)
        let service = try configuration.databaseConfiguration(for: .stockbridge, purpose: "command")
        #expect(service.statementTimeoutSeconds > 0)
    }

    private static let configuration = """
        \(SampleConfiguration.minimal.replacing("${env:DB}", with: "${file:secret}"))
        admin: {broker_user: a, broker_password: "${file:secret}", database_user: p, \
        database_password: "${file:secret}"}
        """
}
