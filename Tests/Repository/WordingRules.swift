/// What is not done stands in an issue, not in the code.
struct UnfinishedWorkRule: RepositoryRule {
    static let demand = "no note about unfinished work is left in a file"

    // Put together here, so that this file does not break its own rule.
    private static let words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK:", "X" + "XX:"]

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files.flatMap { file in
            file.lines.enumerated().flatMap { index, line in
                Self.words.filter { standsAlone($0, in: line) }.map {
                    Finding(file, line: index + 1, "says \($0); do it, or open an issue")
                }
            }
        }
    }

    private func standsAlone(_ word: String, in line: Substring) -> Bool {
        line.ranges(of: word).contains { range in
            let before = range.lowerBound == line.startIndex ? nil : line[line.index(before: range.lowerBound)]
            let after = range.upperBound == line.endIndex ? nil : line[range.upperBound]
            return !isWord(before) && (word.hasSuffix(":") || !isWord(after))
        }
    }

    private func isWord(_ character: Character?) -> Bool {
        character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
    }
}

/// The repository is public: it holds no path of somebody's machine and no secret.
struct PrivateMatterRule: RepositoryRule {
    static let demand = "no file holds a path of one machine, a private key or an access key"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files.filter { !$0.isBelow("Tests/Repository") }.flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                objection(to: line, isTest: file.isBelow("Tests")).map { Finding(file, line: index + 1, $0) }
            }
        }
    }

    private func objection(to line: Substring, isTest: Bool) -> String? {
        // Most lines are ruled out by a plain search, which is far cheaper than the expressions.
        if line.contains("/root") || line.contains("/work") || line.contains("/Users/") || line.contains("/tmp/d"),
            line.firstMatch(of: /(?:^|[^\w.\-\/{}$])\/(?:root|work|Users|tmp\/dev)(?:$|[^\w.])/) != nil
                || line.firstMatch(of: /(?:^|[^\w.\-\/{}$])\/tmp\/dev/) != nil
        {
            return "names a path of one machine"
        }
        if line.contains("PRIVATE KEY-----"), line.contains("BEGIN ") { return "holds a private key" }
        // Tests need keys of that shape for their simulated shops.
        if !isTest, line.contains("ck_") || line.contains("cs_"), line.firstMatch(of: /\bc[ks]_[0-9a-f]{40}/) != nil {
            return "holds what looks like an access key of a shop"
        }
        return nil
    }
}
