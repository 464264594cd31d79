import Foundation

/// Where things are: the executables under test, the servers' facts.
enum Places {
    /// The directory in which the build puts the executables: that of the running test bundle.
    static func executable(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path()
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ProcessStackProblem("\(path) is not there: run 'swift build --build-tests' first.")
        }
        return path
    }

    /// A variable that the test stack writes.
    static func variable(
        _ name: String, of environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> String {
        guard let text = environment[name], !text.isEmpty else {
            throw ProcessStackProblem("\(name) is not set: start the test stack and source the environment it writes.")
        }
        return text
    }
}

/// What keeps a test of the whole system from running, as a sentence.
public struct ProcessStackProblem: Error, CustomStringConvertible {
    /// What went wrong.
    public let description: String

    /// Takes the sentence.
    public init(_ description: String) { self.description = description }
}
