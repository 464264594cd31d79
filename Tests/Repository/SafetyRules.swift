/// A surprise becomes an error that says something, never a crash.
struct ForcedUnwrapRule: RepositoryRule {
    static let demand = "nothing is unwrapped, tried or cast by force"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift").flatMap { file in
            file.code.lines.enumerated().compactMap { index, line in
                forces(Array(line.utf8)) ? Finding(file, line: index + 1, "has a `!` that can crash") : nil
            }
        }
    }

    /// Whether a `!` stands directly behind a value, a type, `try` or `as`.
    private func forces(_ line: [UInt8]) -> Bool {
        line.indices.contains { index in
            guard line[index] == UInt8(ascii: "!"), index > 0 else { return false }
            if index + 1 < line.count, line[index + 1] == UInt8(ascii: "=") { return false }
            return isWordByte(line[index - 1]) || ")]}?>".utf8.contains(line[index - 1])
        }
    }
}

/// Whoever steps around the compiler's proof writes down his own.
struct UncheckedReasonRule: RepositoryRule {
    static let demand = "@unchecked Sendable and nonisolated(unsafe) state their reason in a comment above"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift").flatMap { file in
            let lines = file.lines
            return file.code.lines.enumerated().compactMap { index, line -> Finding? in
                guard line.contains("@unchecked") || line.contains("nonisolated(unsafe)") else { return nil }
                let above = lines[max(0, index - 12)...index]
                return above.contains { $0.contains("//") } ? nil : Finding(file, line: index + 1, "gives no reason")
            }
        }
    }
}

/// Decisions depend on what they are given, so that a test can give them anything.
struct PureDecisionRule: RepositoryRule {
    static let demand = "modules that decide read no clock, no environment and no file"

    private static let pureModules = ["Domain", "Contracts", "DelimitedText"]
    private static let impure = ["Date()", "Date.now", "ProcessInfo", "FileManager", "ContinuousClock", "print("]

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift").flatMap { file in
            guard Self.pureModules.contains(where: { file.isBelow("Shared/\($0)") }) else { return [Finding]() }
            return file.code.lines.enumerated().flatMap { index, line in
                Self.impure.filter { line.contains($0) }.map {
                    Finding(file, line: index + 1, "uses \($0); let the caller pass the value in")
                }
            }
        }
    }
}

/// A thread of Swift's pool that waits for another process keeps all tasks waiting, for ever if the process waits too.
struct BlockingProcessRule: RepositoryRule {
    static let demand = "processes are started by ChildProcess and waited for without holding a thread"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift").flatMap { file in
            file.code.lines.enumerated().flatMap { index, line in
                line.matches(of: #/\b(?:Process\(\)|waitUntilExit\()/#.wordBoundaryKind(.simple)).map {
                    Finding(file, line: index + 1, "has \($0.output)")
                }
            }
        }
    }
}

/// A test's time runs while it waits for its turn at the servers, which may come when nearly all others are done.
struct TimeLimitRule: RepositoryRule {
    static let demand = "where tests take turns at servers, time limits are against hangs: 20 minutes or more"

    private static let folders = ["Tests/Integration", "Tests/EndToEnd", "Tests/Faults"]

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift").flatMap { file in
            guard Self.folders.contains(where: { file.isBelow($0) }) else { return [Finding]() }
            return file.code.lines.enumerated().flatMap { index, line in
                line.matches(of: #/timeLimit\(\.minutes\((\d+)\)/#).compactMap { limit in
                    guard let minutes = Int(limit.output.1), minutes < 20 else { return nil }
                    return Finding(file, line: index + 1, "ends a test after \(minutes) minutes, turn or no turn")
                }
            }
        }
    }
}
