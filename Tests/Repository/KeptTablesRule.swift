/// Whoever adds a table thinks about how it stays small, and writes it down.
struct KeptTablesRule: RepositoryRule {
    static let demand = "docs/architecture.md says of every table how long its rows are kept, and names no other"

    static let page = "docs/architecture.md"
    static let heading = "## What is kept, and for how long"

    func findings(in tree: SourceTree) -> [Finding] {
        guard let page = tree.file(Self.page) else { return [] }
        let section = page.text.split(separator: Self.heading).dropFirst().first?.split(separator: "\n## ").first ?? ""
        let named = Set(section.matches(of: #/`([a-z_]+\.[a-z0-9_]+)`/#).map { String($0.output.1) })
        var made: Set<String> = []
        var findings: [Finding] = []
        for file in tree.files(ofKind: "sql") where file.isBelow(MigrationRule.folder) {
            for statement in SQLStatement.all(in: file.text) {
                guard let table = statement.createdTable else { continue }
                made.insert(table)
                if !named.contains(table) {
                    findings.append(
                        Finding(
                            file, line: statement.line, "makes \(table), of which \(Self.page) does not say how long"))
                }
            }
        }
        return findings
            + named.subtracting(made).sorted().map { Finding(page, "tells of \($0), which no migration makes") }
    }
}
