import Foundation

/// One text file of the repository.
struct SourceFile: Sendable {
    /// Relative to the repository's root, with slashes.
    let path: String
    let text: String
    let isExecutable: Bool
    /// What is left of a Swift file without comments and strings; nothing for other files.
    let code: SwiftCode

    init(path: String, text: String, isExecutable: Bool = false) {
        self.path = path
        self.text = text
        self.isExecutable = isExecutable
        code = SwiftCode(path.hasSuffix(".swift") ? text : "")
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }

    /// The part of the name after its last point; empty for `Makefile` and the like.
    var kind: String { name.contains(".") ? String(name.split(separator: ".").last ?? "") : "" }

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    func isBelow(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }
}

/// The repository's files, or those that a test of a rule makes up.
struct SourceTree: Sendable {
    let files: [SourceFile]
    /// Every file and folder, text or not.
    let paths: Set<String>

    init(_ files: [SourceFile], otherPaths: Set<String> = []) {
        self.files = files
        var paths = otherPaths
        for file in files {
            var folder = file.path
            while !folder.isEmpty {
                paths.insert(folder)
                folder = folder.split(separator: "/").dropLast().joined(separator: "/")
            }
        }
        self.paths = paths
    }

    init(_ texts: [String: String]) {
        self.init(texts.map { SourceFile(path: $0.key, text: $0.value) }.sorted { $0.path < $1.path })
    }

    func file(_ path: String) -> SourceFile? { files.first { $0.path == path } }

    func files(ofKind kinds: String...) -> [SourceFile] { files.filter { kinds.contains($0.kind) } }
}

extension SourceTree {
    /// The repository that this file belongs to. Read once: every rule looks at the same state.
    static let repository = SourceTree(root: repositoryRoot)

    private static let repositoryRoot: URL = {
        var folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        while folder.path != "/",
            !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path)
                || !FileManager.default.fileExists(atPath: folder.appending(path: "Shared/CModules").path)
        {
            folder.deleteLastPathComponent()
        }
        return folder
    }()

    /// Reads everything below `root` that `.gitignore` does not leave out.
    private init(root: URL) {
        let ignored = Self.ignoredNames(in: root)
        var files: [SourceFile] = []
        var others: Set<String> = []
        let keys: [URLResourceKey] = [.isDirectoryKey, .isExecutableKey, .fileSizeKey]
        let walk = FileManager.default.enumerator(at: root, includingPropertiesForKeys: keys)
        while let url = walk?.nextObject() as? URL {
            let values = try? url.resourceValues(forKeys: Set(keys))
            let isDirectory = values?.isDirectory ?? false
            if ignored.contains(where: { matches(url.lastPathComponent, $0, isDirectory: isDirectory) }) {
                if isDirectory { walk?.skipDescendants() }
                continue
            }
            let path = String(url.path.dropFirst(root.path.count + 1))
            others.insert(path)
            guard !isDirectory, (values?.fileSize ?? 0) < 1 << 20, let data = try? Data(contentsOf: url),
                let text = String(validating: data, as: UTF8.self)
            else { continue }
            files.append(SourceFile(path: path, text: text, isExecutable: values?.isExecutable ?? false))
        }
        self.init(files.sorted { $0.path < $1.path }, otherPaths: others)
    }

    private static func ignoredNames(in root: URL) -> [String] {
        let text = (try? String(contentsOf: root.appending(path: ".gitignore"), encoding: .utf8)) ?? ""
        return [".git/"] + text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }
}

/// Whether a name fits a line of `.gitignore`; of its language only names with `*` and a slash at the end are known.
private func matches(_ name: String, _ pattern: String, isDirectory: Bool) -> Bool {
    let wantsDirectory = pattern.hasSuffix("/")
    if wantsDirectory && !isDirectory { return false }
    let parts = (wantsDirectory ? String(pattern.dropLast()) : pattern).split(
        separator: "*", omittingEmptySubsequences: false)
    guard let first = parts.first, let last = parts.last, name.hasPrefix(first), name.hasSuffix(last) else {
        return false
    }
    return parts.count > 1 || name == pattern || name + "/" == pattern
}

/// What a rule objects to, and where.
struct Finding: Sendable, Equatable, CustomStringConvertible {
    let path: String
    /// From 1; 0 for the file as a whole.
    let line: Int
    let message: String

    init(_ file: SourceFile, line: Int = 0, _ message: String) {
        path = file.path
        self.line = line
        self.message = message
    }

    var description: String { line > 0 ? "\(path):\(line): \(message)" : "\(path): \(message)" }
}

/// A rule of the repository that can be read off its files.
protocol RepositoryRule: Sendable {
    /// What the rule demands, as a sentence.
    static var demand: String { get }
    init()
    func findings(in tree: SourceTree) -> [Finding]
}
