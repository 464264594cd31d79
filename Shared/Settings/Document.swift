internal import Foundation
internal import Yams

/// Turns text into YAML nodes.
enum Document {
    /// Duplicates that are reported in one go; a file with more has another trouble.
    private static let maximumDuplicates = 100

    /// The document's root.
    ///
    /// - Throws: ``InvalidConfiguration`` if the text is no YAML, holds nothing, or more than one document.
    static func parse(_ text: String, log: ProblemLog) throws(InvalidConfiguration) -> Node {
        var text = text
        for _ in 0...maximumDuplicates {
            do {
                let root = try Parser(yaml: text).singleRoot()
                guard let root, !isEmpty(root) else {
                    throw InvalidConfiguration(
                        file: log.file, message: "the file is empty",
                        suggestion: "start from infra/stockbridge.example.yaml")
                }
                return root
            } catch let error as InvalidConfiguration {
                throw error
            } catch let YamlError.duplicatedKeysInMapping(names, context) {
                guard let name = names.first, let marked = DuplicateKeys.marking(name, at: context.mark, in: text)
                else {
                    throw duplicates(names, at: context.mark, log)
                }
                text = marked
            } catch {
                throw complaint(about: error, in: text, log)
            }
        }
        throw InvalidConfiguration(
            file: log.file, message: "more than \(maximumDuplicates) keys are set twice",
            suggestion: "look whether the file was pasted into itself")
    }

    private static func isEmpty(_ root: Node) -> Bool {
        root.scalar.map { $0.string.isEmpty && $0.style != .doubleQuoted && $0.style != .singleQuoted } ?? false
    }

    private static func duplicates(_ names: [String], at mark: Mark, _ log: ProblemLog) -> InvalidConfiguration {
        InvalidConfiguration(
            file: log.file, line: mark.line, column: mark.column,
            message: "\(names.map(quoted).joined(separator: ", ")) is set twice in the same mapping",
            suggestion: "keep one of the two")
    }

    private static func complaint(about error: any Error, in text: String, _ log: ProblemLog) -> InvalidConfiguration {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let tabs = linesIndentedWithTabs(in: text)
            if tabs.contains(mark.line) || tabs.contains(mark.line - 1) {
                return InvalidConfiguration(
                    problems: tabs.map {
                        Problem(
                            file: log.file, line: $0, column: 1, path: "", message: "the line is indented with a tab",
                            suggestion: "use spaces; YAML allows no tabs there")
                    })
            }
            return InvalidConfiguration(
                file: log.file, line: mark.line, column: mark.column, message: sentence(problem, context?.mark),
                suggestion: hint(for: line(mark.line, of: text)))
        case YamlError.reader(let problem, let offset, _, _):
            let before = text.utf8.prefix(max(0, offset ?? 0))
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            return InvalidConfiguration(
                file: log.file, line: line, message: "the text is no YAML: \(problem)",
                suggestion: "remove the character")
        default:
            return InvalidConfiguration(file: log.file, message: "the text is no YAML")
        }
    }

    private static func sentence(_ problem: String, _ start: Mark?) -> String {
        "the text is no YAML from here on: \(problem)\(start.map { " (it belongs to line \($0.line))" } ?? "")"
    }

    /// What most often causes a syntax error in such a line.
    private static func hint(for line: Substring) -> String {
        let references = line.ranges(of: "${").map(\.lowerBound)
        let isUnquoted = references.contains { start in
            !line[..<start].hasSuffix("\"") && !line[..<start].hasSuffix("'")
        }
        if isUnquoted {
            return "inside { } a reference needs quotes: \"${env:NAME}\""
        }
        return "look for a missing quote, bracket or blank after a colon, and at the indentation"
    }

    private static func line(_ number: Int, of text: String) -> Substring {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return lines.indices.contains(number - 1) ? lines[number - 1] : ""
    }

    private static func linesIndentedWithTabs(in text: String) -> [Int] {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return lines.indices.filter { lines[$0].prefix { $0 == " " || $0 == "\t" }.contains("\t") }.map { $0 + 1 }
    }
}
