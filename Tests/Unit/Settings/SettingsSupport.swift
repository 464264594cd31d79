import Foundation
import SampleConfigurations
import Settings
import Testing

/// The repository's root folder.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../..").standardizedFileURL.path

/// The commented example that ships with the product.
func exampleText() throws -> String {
    try String(contentsOfFile: repository + "/infra/stockbridge.example.yaml", encoding: .utf8)
}

/// The shortest configuration that is valid.
let minimalText = SampleConfiguration.minimal

/// Loads a text as if it stood in /etc/stockbridge.
func load(_ text: String) throws(InvalidConfiguration) -> StockbridgeConfiguration {
    try ConfigurationLoader.load(text: text, file: "/etc/stockbridge/stockbridge.yaml")
}

/// The problems of a text; none if it loads.
func problems(_ text: String) -> [Problem] {
    do {
        _ = try load(text)
        return []
    } catch {
        return error.problems
    }
}

/// The minimal text with one part replaced; fails where the part is not there, so that no test is about nothing.
func minimal(_ part: String, _ replacement: String, _ location: SourceLocation = #_sourceLocation) -> String {
    #expect(minimalText.contains(part), "nothing to replace", sourceLocation: location)
    return minimalText.replacingOccurrences(of: part, with: replacement)
}

/// A folder of its own for one test; gone afterwards, whether the body returns or throws.
func withScratchFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // nothing of value is in it
    try body(folder)
}
