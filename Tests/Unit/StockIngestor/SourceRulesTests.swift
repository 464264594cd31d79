import Contracts
import Domain
import Foundation
import SampleConfigurations
import Settings
import StockFiles
import Testing
import Transfer

@testable import StockIngestor

@Suite("What a source's settings and troubles mean")
struct SourceRulesTests {
    private func source(_ asOf: String, format: String = "") throws -> StockbridgeConfiguration.Source {
        let text = SampleConfiguration.minimal.replacing(
            "on_hand: Quantity}}", with: "on_hand: Quantity, as_of: Time}\(format)}\n    as_of: \(asOf)")
        return try #require(
            try ConfigurationLoader.load(text: text, file: "/etc/stockbridge/stockbridge.yaml").sources.first)
    }

    private func candidate(_ name: String) -> Candidate {
        Candidate(RemoteEntry(name: name, size: 1, modifiedAt: Date(timeIntervalSince1970: 77)))
    }

    @Test("The time in a file's name is read in the source's zone")
    func asOfFromName() throws {
        let format = SourceFormat(try source(#"{from: file_name, pattern: 'stock-(\d{8}-\d{4})'}"#))
        #expect(
            format.asOfBeforeReading(candidate("stock-20261121-0600.csv")) == UTCTimestamp.parse("2026-11-20T23:00:00Z")
        )
        #expect(format.asOfBeforeReading(candidate("stock-latest.csv")) == nil)
        #expect(format.noTimeSentence("stock-latest.csv").contains("stock-latest.csv holds no time"))
    }

    @Test("The time of modification counts where the source says so, and is unknown beforehand with a column")
    func asOfOtherwise() throws {
        #expect(
            SourceFormat(try source("{from: mtime}")).asOfBeforeReading(candidate("a.csv"))
                == Date(timeIntervalSince1970: 77))
        let column = SourceFormat(try source("{from: column}"))
        #expect(column.asOfBeforeReading(candidate("a.csv")) == nil)
        #expect(column.reading.asOfFromColumn)
    }

    @Test(
        "The rule for missing SKUs becomes a number of files",
        arguments: [
            (", missing_sku: keep", Int?.none), (", missing_sku: zero", 1), (", missing_sku: {zero_after: 3}", 3),
        ])
    func missing(format: String, files: Int?) throws {
        #expect(SourceFormat(try source("{from: mtime}", format: format)).zeroAfterFiles == files)
    }

    @Test("A changed host key and a wrong password are told at once, an unreachable server at the third look")
    func troubles() {
        let key = LookTrouble(TransferError.hostKeyChanged(host: "h", expected: "a", found: "b"), source: "erp")
        #expect(key.kind == .hostKey && key.isToBeTold(afterFailures: 1))
        let login = LookTrouble(TransferError.authenticationFailed(host: "h", user: "stock"), source: "erp")
        #expect(login.kind == .login && login.isToBeTold(afterFailures: 1))
        let away = LookTrouble(TransferError.unreachable(host: "h", detail: "refused"), source: "erp")
        #expect(away.kind == .unreachable)
        #expect(!away.isToBeTold(afterFailures: 2) && away.isToBeTold(afterFailures: 3))
        #expect(away.text.contains("last good numbers stay live"))
    }

    @Test("One condition per trouble of a source; each bad file is its own")
    func conditions() {
        #expect(AlertKind.late.condition(of: "erp") == "stock-late:erp")
        #expect(AlertKind.file.condition(of: "erp", file: "a.csv") == "stock-file:erp:a.csv")
        #expect(Set(AlertKind.ofPlace + AlertKind.ofFiles) == Set(AlertKind.allCases))
    }

    @Test("A folder's files lie below it, an address is its own file")
    func paths() throws {
        let folder = try RemoteLocation(try source("{from: mtime}").location, service: "stock-ingestor")
        #expect(folder.path(of: "a.csv").hasSuffix("/incoming/a.csv"))
        #expect(folder.matches("a.csv") && !folder.matches("a.csv.part"))
        let address = StockbridgeConfiguration.Location.https(
            try #require(try https("https://erp.example:8443/out/stock.csv")))
        let location = try RemoteLocation(address, service: "stock-ingestor")
        #expect(location.path(of: "stock.csv") == "/out/stock.csv")
        #expect(location.site.host == "erp.example" && location.site.port == 8443)
    }

    private func https(_ url: String) throws -> StockbridgeConfiguration.HTTPSLocation? {
        let text = SampleConfiguration.minimal.replacing(
            SampleConfiguration.location, with: "{type: https, url: \"\(url)\"}")
        let loaded = try ConfigurationLoader.load(text: text, file: "/etc/stockbridge/stockbridge.yaml")
        if case .https(let location)? = loaded.sources.first?.location { return location }
        return nil
    }
}

@Suite("What a run answers and remembers")
struct FileResultTests {
    @Test("The answer has the last file's figures at the top, its own sentence, and every file")
    func answer() throws {
        var first = FileResult(source: "erp", file: "a.csv", state: .unreadable, message: "A is empty.")
        first.rowsRead = 1
        var second = FileResult(source: "erp", file: "b.csv", state: .live, message: "B is live.")
        second.rowsRead = 2
        second.snapshot = "8cf24d7a-8c70-8ed4-b71b-240eaf06dc4b"
        let bytes = try ContractCoding.encode(RunAnswer([first, second], quiet: "none").prefixed("Dry run: "))
        let object = try ContractCoding.decode(JSONValue.self, from: bytes).object ?? [:]
        #expect(object["message"]?.string == "Dry run: A is empty. B is live.")
        #expect(object["state"]?.string == "live")
        #expect(object["rows_read"]?.integer == 2)
        #expect(object["snapshot"]?.string == "8cf24d7a-8c70-8ed4-b71b-240eaf06dc4b")
        #expect(object["files"]?.array?.count == 2)
    }

    @Test("Without a file the answer is one sentence")
    func quiet() throws {
        let bytes = try ContractCoding.encode(RunAnswer([], quiet: "no new file"))
        #expect(try ContractCoding.decode(JSONValue.self, from: bytes).object?["message"]?.string == "no new file")
    }

    @Test("Ids of the same work are the same, those of other work are not")
    func derived() {
        #expect(DerivedID.make("a", "b") == DerivedID.make("a", "b"))
        #expect(DerivedID.make("a", "b") != DerivedID.make("ab"))
        #expect(([0, 15, 255] as [UInt8]).hexadecimal == "000fff")
    }
}
