import ArgumentParser
import Foundation
import ServiceKit
import Settings

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The configuration (default: $STOCKBRIDGE_CONFIGURATION, else /etc/stockbridge/stockbridge.yaml).",
            valueName: "path"))
    var configuration: String?

    @Flag(name: .long, help: "Write JSON instead of text.")
    var json = false

    /// The path of the configuration that this call means.
    var path: String {
        configuration ?? ProcessInfo.processInfo.environment["STOCKBRIDGE_CONFIGURATION"] ?? ServiceMain.defaultPath
    }

    /// Reads the configuration.
    ///
    /// - Throws: `InvalidConfiguration` with every problem at once.
    func load() throws -> StockbridgeConfiguration { try ConfigurationLoader.load(path: path) }

    /// Writes a value as JSON, or the text made of it.
    func print(_ value: some Encodable, text: @autoclosure () -> String) throws {
        Console.write(json ? try JSONText.of(value) : text())
    }
}

/// JSON as the tool prints it.
enum JSONText {
    /// Indented, keys sorted and in snake_case, times in ISO 8601 UTC, ids in lower case as everywhere else.
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
