import Foundation
import Testing

@testable import Settings

@Suite("The reference documents exactly what there is")
struct DocumentationTests {
    /// The keys of the reference: the first cell of every row of its tables, in code style.
    private static func documentedKeys() throws -> [String] {
        let text = try String(contentsOfFile: repository + "/docs/configuration.md", encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("| `"), let end = line.dropFirst(3).firstIndex(of: "`") else { return nil }
            return String(line.dropFirst(3)[..<end])
        }
    }

    /// Every key that the reader knows, of all kinds of places together.
    private static func knownKeys() throws -> Set<String> {
        var keys: Set<String> = []
        for place in [
            "{type: folder, directory: d, pattern: p}",
            "{type: sftp, host: s, user: u, private_key: k, known_hosts: h, pattern: p}",
            #"{type: ftps, host: s, user: u, password: "${env:P}", pattern: p}"#,
            "{type: https, url: https://erp.example/stock.csv}",
        ] {
            let text = minimal(ProblemTests.folder, place)
            keys.formUnion(try ConfigurationLoader.read(text: text, file: "s.yaml").facts.keys)
        }
        // The other spelling of a setting that is a word otherwise.
        return keys.union(["sources[].format.missing_sku.zero_after"])
    }

    @Test("every documented key exists")
    func documentedExists() throws {
        let documented = try Self.documentedKeys()
        let known = try Self.knownKeys()
        #expect(documented.filter { !known.contains($0) } == [])
        #expect(documented.count == Set(documented).count, "a key is documented twice")
    }

    @Test("every key is documented, sections through their keys")
    func everyKeyIsDocumented() throws {
        let documented = Set(try Self.documentedKeys())
        let known = try Self.knownKeys()
        let leaves = known.filter { key in
            !known.contains { $0.hasPrefix(key + ".") || $0.hasPrefix(key + "[].") }
        }
        #expect(leaves.subtracting(documented).sorted() == [])
    }
}
