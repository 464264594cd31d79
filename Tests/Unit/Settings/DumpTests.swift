import Foundation
import Testing

@testable import Settings

@Suite("A dump shows every effective value and no secret")
struct DumpTests {
    @Test("a dump, loaded again, is the same configuration", arguments: [true, false])
    func roundTrip(_ isExample: Bool) throws {
        let configuration = try load(isExample ? exampleText() : minimalText)
        for format in StockbridgeConfiguration.DumpFormat.allCases {
            let again = try load(configuration.redactedDump(format))
            #expect(again.redactedDump(format) == configuration.redactedDump(format))
            #expect(again.shops.map(\.settingsDigest) == configuration.shops.map(\.settingsDigest))
            #expect(again.effective.canonicalDescription == configuration.effective.canonicalDescription)
        }
    }

    @Test("texts that YAML could take for something else come back as they were")
    func awkwardTexts() throws {
        for name in ["true", "no", "0123", "1:30", "- a", "a: b", "#x", "Mã \\\"hàng\\\"", "~", "\\\\d", "'", "null"] {
            let configuration = try load(minimal("company: Hoa Sen Care", "company: \"\(name)\""))
            #expect(try load(configuration.redactedDump()).company == configuration.company)
        }
    }

    @Test("defaults are in it, and secrets as their references")
    func contents() throws {
        let configuration = try load(minimalText)
        let yaml = configuration.redactedDump()
        #expect(yaml.contains("    run_deadline_minutes: 30\n"))
        #expect(yaml.contains("password: \"${env:BROKER}\""))
        #expect(!yaml.contains("admin"))
        let json = try JSONSerialization.jsonObject(with: Data(configuration.redactedDump(.json).utf8))
        let shops = (json as? [String: Any])?["shops"] as? [[String: Any]]
        #expect(shops?.first?["cap"] as? Int == 99_999)
    }
}
