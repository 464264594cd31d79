/// Every target of the package has its folder, and every Swift file a target.
struct TargetPathRule: RepositoryRule {
    static let demand = "every target path in Package.swift exists, and every Swift file belongs to a target"

    func findings(in tree: SourceTree) -> [Finding] {
        guard let package = tree.file("Package.swift") else { return [] }
        let declared = targetPaths(package.text)
        let missing = declared.filter { !tree.paths.contains($0.path) }.map {
            Finding(package, line: $0.line, "\($0.path) does not exist")
        }
        // Swift below infra/ is compiled by a script there.
        let orphans = tree.files(ofKind: "swift").filter { file in
            file.path != "Package.swift" && !file.isBelow("infra") && !declared.contains { file.isBelow($0.path) }
        }
        return missing + orphans.map { Finding($0, "belongs to no target of Package.swift") }
    }

    /// The helpers of Package.swift that make targets, and the folder each puts before its argument.
    private func targetPaths(_ text: String) -> [(path: String, line: Int)] {
        let patterns: [(Regex<(Substring, Substring)>, String)] = [
            (/\bshared\(\s*"([^"\\]+)"/, "Shared/"),
            (/\bcShim\(\s*"([^"\\]+)"/, "Shared/CModules/"),
            (/\bservice\(\s*"([^"\\]+)"/, "Services/"),
            (/\btests\(\s*"[^"\\]+",\s*"([^"\\]+)"/, "Tests/"),
            (/\bpath: "([^"\\]+)"/, ""),
        ]
        return patterns.flatMap { pattern, prefix in
            text.matches(of: pattern).map { match in
                let line = text[..<match.range.lowerBound].count { $0 == "\n" } + 1
                return (prefix + match.output.1, line)
            }
        }
    }
}

/// A file that says nothing is left over from something.
struct EmptyFileRule: RepositoryRule {
    static let demand = "every Swift file declares something"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "swift").filter { !$0.code.declaresSomething }.map {
            Finding($0, "declares nothing; delete it")
        }
    }
}

/// A link in the documentation leads somewhere.
struct DocumentationLinkRule: RepositoryRule {
    static let demand = "every relative link in the documentation leads to a file, and to a heading of it"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files(ofKind: "md").flatMap { file in
            prose(file).flatMap { number, line in
                line.replacing(/`[^`]*`/, with: "").matches(of: /\]\(([^()\s]+)\)/).compactMap { match in
                    objection(to: String(match.output.1), from: file, in: tree).map { Finding(file, line: number, $0) }
                }
            }
        }
    }

    /// The lines outside of code blocks, with their numbers.
    private func prose(_ file: SourceFile) -> [(Int, String)] {
        var inCode = false
        return file.lines.enumerated().compactMap { index, line in
            if line.drop(while: { $0 == " " }).hasPrefix("```") { inCode.toggle() }
            return inCode ? nil : (index + 1, String(line))
        }
    }

    private func objection(to link: String, from file: SourceFile, in tree: SourceTree) -> String? {
        if link.contains("://") || link.hasPrefix("mailto:") { return nil }
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let target = parts[0].isEmpty ? file.path : resolve(parts[0], against: file.folder)
        guard tree.paths.contains(target) else { return "links to \(link), which does not exist" }
        guard parts.count == 2, let page = tree.file(target), page.kind == "md" else { return nil }
        let headings = prose(page).map(\.1).filter { $0.hasPrefix("#") }
        let isThere = headings.contains { anchor($0) == parts[1] }
        return isThere ? nil : "links to \(link), but \(target) has no such heading"
    }

    private func resolve(_ link: String, against folder: String) -> String {
        var parts = link.hasPrefix("/") ? [] : folder.split(separator: "/")
        for part in link.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    /// A heading as GitHub writes it in a link.
    private func anchor(_ heading: String) -> String {
        let text = heading.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
        let kept = text.filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
        return String(kept.map { $0 == " " ? "-" : $0 })
    }
}

/// A command that somebody is told to type exists.
struct NamedScriptRule: RepositoryRule {
    static let demand = "every script that README, Makefile, documentation or another script names exists"

    func findings(in tree: SourceTree) -> [Finding] {
        tree.files.filter(namesScripts).flatMap { file in
            file.lines.enumerated().flatMap { index, line in
                line.matches(of: /(?:^|[^\w.\/-])(?:\.\/)?((?:infra|\.ci)\/[\w.\/-]*\w)/).compactMap { match in
                    let path = String(match.output.1)
                    return tree.paths.contains(path)
                        ? nil : Finding(file, line: index + 1, "names \(path), which does not exist")
                }
            }
        }
    }

    private func namesScripts(_ file: SourceFile) -> Bool {
        if file.isBelow("Tests/Repository") { return false }
        return ["md", "sh", "py", "yaml", "yml", "swift"].contains(file.kind) || file.name == "Makefile"
            || file.name == "Dockerfile" || file.isBelow(".ci")
    }
}

/// Equipment that nothing uses is gone, and scripts can be run as they are.
struct InfrastructureRule: RepositoryRule {
    static let demand = "every file of infra/ is named somewhere else, and has an executable bit if it begins with #!"

    func findings(in tree: SourceTree) -> [Finding] {
        let equipment = tree.files.filter { $0.isBelow("infra") || $0.isBelow(".ci") }
        let unused = equipment.filter { file in
            // Python modules are imported without their suffix, parts of a script by a loop over their names.
            let name = ["py", "sh"].contains(file.kind) ? String(file.name.prefix { $0 != "." }) : file.name
            // A Swift file belongs to a target, which another rule sees to.
            if file.kind == "swift" && file.isBelow("infra/bench/Swift") { return false }
            return !file.isBelow(".ci") && !tree.files.contains { $0.path != file.path && $0.text.contains(name) }
        }
        let wrongMode = equipment.filter { $0.text.hasPrefix("#!") != $0.isExecutable }
        return unused.map { Finding($0, "is named by no other file; delete it or say what it is for") }
            + wrongMode.map { Finding($0, $0.isExecutable ? "is executable without a #! line" : "is not executable") }
    }
}
