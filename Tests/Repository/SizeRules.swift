/// No file of source is so long that nobody reads it to the end.
struct FileLengthRule: RepositoryRule {
    static let demand = "a source file has at most 500 lines"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift", "c", "h", "sh", "py", "sql").compactMap { file in
            let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
            return count > 500 ? Finding(file, "has \(count) lines; split it by topic") : nil
        }
    }
}

/// No function needs scrolling.
struct FunctionLengthRule: RepositoryRule {
    static let demand = "a function has at most 70 lines"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift").flatMap { file in
            file.code.functions.filter { $0.lineCount > 70 }.map {
                Finding(file, line: $0.firstLine, "\($0.name) has \($0.lineCount) lines; take a part out of it")
            }
        }
    }
}

/// Two files fit beside each other on a screen.
struct LineWidthRule: RepositoryRule {
    static let demand = "a line of source has at most 120 characters"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift", "c", "h", "sh", "py", "sql", "yaml", "yml").flatMap { file in
            file.lines.enumerated().filter { $0.element.utf8.count > 120 && $0.element.count > 120 }.map {
                Finding(file, line: $0.offset + 1, "is \($0.element.count) characters wide")
            }
        }
    }
}
