import Foundation
public import Settings

/// The entry point of every service: reads the configuration, runs, and turns what goes wrong into one sentence.
public enum ServiceMain {
    /// Where the configuration is when neither an argument nor `STOCKBRIDGE_CONFIGURATION` names it.
    public static let defaultPath = "/etc/stockbridge/stockbridge.yaml"

    /// Runs a service and ends the process: with 0 when it was asked to stop, with 1 if it fails and with 2 if it was
    /// called wrongly.
    public static func run(_ service: @Sendable (StockbridgeConfiguration) async throws -> Void) async -> Never {
        do {
            try await service(try ConfigurationLoader.load(path: configurationPath(CommandLine.arguments)))
            ProcessEnd.now(0)
        } catch let error as InvalidConfiguration {
            fail("\(error)", code: 2)
        } catch let problem as StartProblem {
            fail("\(problem)", code: 1)
        } catch {
            fail("The service ended: \(error)", code: 1)
        }
    }

    /// `--configuration PATH`, else the environment, else the default.
    static func configurationPath(_ arguments: [String]) -> String {
        if let index = arguments.firstIndex(of: "--configuration"), index + 1 < arguments.count {
            return arguments[index + 1]
        }
        return ProcessInfo.processInfo.environment["STOCKBRIDGE_CONFIGURATION"] ?? defaultPath
    }

    private static func fail(_ sentence: String, code: Int32) -> Never {
        FileHandle.standardError.write(Data((sentence + "\n").utf8))
        ProcessEnd.now(code)
    }
}
