import Foundation
import Settings
import Testing

extension FuzzTests {
    @Suite("Whatever the bytes of the configuration, it is loaded or refused with problems")
    struct ConfigurationFuzz {
        @Test func `bytes of the example, spoilt`() async throws {
            let example = try Fuzz.file("infra/stockbridge.example.yaml")
            let scratch = try ScratchFile("stockbridge.yaml")
            try await Fuzz.run("configuration", corpus: [example], cases: 150) { one in
                try scratch.write(one.bytes)
                do throws(InvalidConfiguration) {
                    let configuration = try ConfigurationLoader.load(path: scratch.path)
                    #expect(!configuration.shops.isEmpty, "\(one.label)")
                } catch {
                    #expect(!error.problems.isEmpty, "\(one.label)")
                    for problem in error.problems {
                        let sentence = problem.description
                        #expect(sentence.count < 2_000 && !sentence.contains("\n"), "\(one.label): \(sentence.count)")
                    }
                }
            }
        }
    }
}
