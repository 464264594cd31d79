import ArgumentParser
import Contracts
import Foundation
import Settings

/// `stockbridge config`.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check, show and describe the configuration.",
        subcommands: [ConfigCheck.self, ConfigShow.self, ConfigSchemaCommand.self])
}

/// `stockbridge config check`.
struct ConfigCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Report every problem of the configuration at once, with its line.",
        discussion: """
            EXAMPLES:
              stockbridge config check                              the file alone
              stockbridge config check --service stock-publisher    and the secrets and files that service needs
              stockbridge config check --secrets                    and those of all services and of the administrator

            Ends with 2 if there is a problem. Warnings name settings that work but weaken protection.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Also look for the secrets and files of this service.")
    var service: [String] = []

    @Flag(name: .long, help: "Also look for the secrets and files of all services and of the administrator.")
    var secrets = false

    func run() async throws {
        let uses = try secretUses()
        let report: CheckReport
        do {
            let loaded = try ConfigurationLoader.load(path: global.path)
            var problems: [Problem] = []
            for use in uses {
                problems += loaded.checkSecrets(for: use).filter { !problems.contains($0) }
            }
            report = CheckReport(
                file: global.path, problems: problems.map(CheckReport.Entry.init),
                warnings: loaded.warnings.map(CheckReport.Entry.init))
        } catch {
            report = CheckReport(
                file: global.path, problems: error.problems.map(CheckReport.Entry.init), warnings: [])
        }
        try global.print(report, text: report.text(Console.style))
        if !report.isValid { throw ExitStatus.usage }
    }

    private func secretUses() throws -> [SecretUse] {
        if secrets { return ServiceName.allCases.map { .service($0) } + [.administration] }
        return try service.map { name in
            guard let service = ServiceName(rawValue: name) else {
                let known = ServiceName.allCases.map(\.rawValue).joined(separator: ", ")
                throw ToolError.usage("There is no service '\(name)'; there are \(known).")
            }
            return .service(service)
        }
    }
}

/// What `config check` found.
struct CheckReport: Encodable {
    struct Entry: Encodable {
        var line: Int
        var path: String
        var message: String
        var suggestion: String?

        init(_ problem: Problem) {
            line = problem.line
            path = problem.path
            message = problem.message
            suggestion = problem.suggestion
        }

        init(_ warning: StockbridgeConfiguration.Warning) {
            line = warning.line
            path = warning.path
            message = warning.message
        }

        func text(_ file: String) -> String {
            "\(file):\(line): " + (path.isEmpty ? "" : "\(path): ") + message + (suggestion.map { "; \($0)" } ?? "")
        }
    }

    var file: String
    var problems: [Entry]
    var warnings: [Entry]
    var isValid: Bool { problems.isEmpty }

    func text(_ style: TextStyle) -> String {
        var lines = problems.map { style.bad("problem") + "  " + $0.text(file) }
        lines += warnings.map { style.warning("warning") + "  " + $0.text(file) }
        lines.append(
            isValid
                ? style.good("\(file) is a valid configuration.")
                : "\(Wording.count(problems.count, "problem")) in \(file).")
        return lines.joined(separator: "\n")
    }

    private enum CodingKeys: String, CodingKey { case file, problems, warnings, isValid = "valid" }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(file, forKey: .file)
        try container.encode(isValid, forKey: .isValid)
        try container.encode(problems, forKey: .problems)
        try container.encode(warnings, forKey: .warnings)
    }
}

/// `stockbridge config show`.
struct ConfigShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print every effective value, defaults included; secrets as their references.")

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let dump = try global.load().redactedDump(global.json ? .json : .yaml)
        Console.write(dump.hasSuffix("\n") ? String(dump.dropLast()) : dump)
    }
}

/// `stockbridge config schema`.
struct ConfigSchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of the configuration, for editors.",
        discussion: """
            EXAMPLE:
              stockbridge config schema > stockbridge.schema.json
            """)

    @OptionGroup var global: GlobalOptions

    func run() async throws { Console.write(ConfigurationSchema.json) }
}
