import Foundation

/// While a new version is rolled out, programs of the version before it go on working with the new structure, and with
/// each other's rows (docs/upgrading.md). So a step may only add, and may not keep anybody waiting.
struct MigrationRule: RepositoryRule {
    static let demand = "a migration leaves programs of the version before it working, or says `-- safe:` and why"

    static let folder = "Shared/Migrations/SQL"

    /// Steps from before the first release: there was no older program.
    static let unreleased: Set<String> = [
        "dead_letters_0001_letters", "erp_0001_batches", "notifications_0001_mails", "notifications_0002_reports",
        "notifications_0003_watch", "operations_0001_audit", "orders_0001_orders", "publishing_0001_shelves",
        "publishing_0002_orders", "reconciliation_0001_runs", "shared_0001_foundation", "shared_0002_watch",
        "stock_0001_snapshots",
    ]

    func findings(in tree: SourceTree) -> [Finding] {
        let files = tree.files(ofKind: "sql").filter { $0.isBelow(Self.folder) }
        return files.flatMap { file in
            Self.unreleased.contains(String(file.name.dropLast(4))) ? [] : Self.breaches(of: file)
        } + unlisted(files, in: tree)
    }

    /// A step that is in no list is never applied.
    private func unlisted(_ files: [SourceFile], in tree: SourceTree) -> [Finding] {
        guard let list = tree.file("Shared/Migrations/Migration.swift") else { return [] }
        return files.filter { !list.text.contains("PackageResources.\($0.name.dropLast(4))_sql") }.map {
            Finding($0, "is not in Migration.all; append it there")
        }
    }

    private static func breaches(of file: SourceFile) -> [Finding] {
        let statements = SQLStatement.all(in: file.text)
        let new = Set(statements.compactMap(\.createdTable))
        return statements.flatMap { statement -> [Finding] in
            guard !statement.isDeclaredSafe, !(statement.target.map(new.contains) ?? false) else { return [] }
            return statement.breaches.map { Finding(file, line: statement.line, $0) }
        }
    }
}

/// One statement of a script, in small letters, without comments and without what stands between dollar quotes.
struct SQLStatement: Sendable {
    let text: String
    /// From 1; of its first word.
    let line: Int
    /// A comment directly above it says why it is safe.
    let isDeclaredSafe: Bool

    /// Takes a script apart.
    static func all(in script: String) -> [SQLStatement] {
        var statements: [SQLStatement] = []
        var (words, begin, isSafe, quote): ([String], Int, Bool, String?) = ([], 0, false, nil)
        for (index, line) in script.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if quote == nil, trimmed.hasPrefix("--") {
                if words.isEmpty, trimmed.wholeMatch(of: #/-- safe: .{10,}/#) != nil { isSafe = true }
                continue
            }
            var rest = Substring(trimmed)
            if quote == nil, let comment = rest.range(of: "--") { rest = rest[..<comment.lowerBound] }
            while let match = rest.firstMatch(of: #/\$[a-z]*\$/#) {
                if quote == nil {
                    words.append(String(rest[..<match.range.lowerBound]))
                    quote = String(match.output)
                } else if quote == String(match.output) {
                    quote = nil
                }
                rest = rest[match.range.upperBound...]
            }
            guard quote == nil, !rest.isEmpty else { continue }
            if words.isEmpty { begin = index + 1 }
            words.append(String(rest))
            guard rest.hasSuffix(";") else { continue }
            let text = words.joined(separator: " ").lowercased().replacing(#/\s+/#, with: " ")
            statements.append(SQLStatement(text: text, line: begin, isDeclaredSafe: isSafe))
            (words, isSafe) = ([], false)
        }
        return statements
    }

    /// `CREATE TABLE name`.
    var createdTable: String? {
        text.firstMatch(of: #/^create table (?:if not exists )?([a-z0-9_.]+)/#).map { String($0.output.1) }
    }

    /// The table that it changes.
    var target: String? {
        let patterns = [
            #/^alter table (?:if exists )?(?:only )?([a-z0-9_.]+)/#, #/^create (?:unique )?index .*? on ([a-z0-9_.]+)/#,
            #/^update ([a-z0-9_.]+)/#, #/^insert into ([a-z0-9_.]+)/#, #/^delete from ([a-z0-9_.]+)/#,
        ]
        return patterns.lazy.compactMap { text.firstMatch(of: $0) }.first.map { String($0.output.1) }
    }

    /// What an older program, or somebody who works meanwhile, would not survive; as sentences.
    var breaches: [String] {
        var found: [String] = []
        func refuse(_ pattern: Regex<Substring>, _ sentence: String) {
            if text.firstMatch(of: pattern) != nil { found.append(sentence) }
        }
        refuse(
            #/^drop (?:table|schema|view|function|type|sequence|index|trigger)/#,
            "drops what an older program may use; do it a release after the last program that does")
        refuse(#/\bdrop column\b/#, "drops a column that an older program may name; do it a release later")
        refuse(#/\brename\b/#, "renames; add the new name, write both, drop the old one a release later")
        refuse(#/\balter column [a-z0-9_"]+ (?:set data )?type\b/#, "changes a type; add a column of the new type")
        refuse(#/\bset not null\b/#, "forbids a null that an older program may write")
        refuse(#/\btruncate\b/#, "empties a table")
        refuse(#/^lock table/#, "locks a table while services work with it")
        refuse(#/^(?:update|delete from) /#, "touches rows of a table that others work with; do it in the service")
        refuse(
            #/^create (?:unique )?index/#,
            "builds an index while nobody may write to the table; say how small it is, or build it before by hand")
        for column in addedColumns {
            if column.contains("not null"), !column.contains("default") {
                found.append("adds a column that an older program's INSERT leaves out, NOT NULL and without DEFAULT")
            }
            if column.contains("stored") || column.contains("clock_timestamp") || column.contains("gen_random_uuid") {
                found.append("adds a column whose value is worked out for every row, which rewrites the table")
            }
        }
        if text.firstMatch(of: #/\badd (?:constraint [a-z0-9_]+ )?(?:check|foreign key|unique|primary key)/#) != nil,
            !text.contains("not valid")
        {
            found.append("adds a constraint that every row is checked against; add it NOT VALID")
        }
        return found
    }

    /// What follows each ADD COLUMN up to the next part of the statement.
    private var addedColumns: [String] {
        text.split(separator: "add column ").dropFirst().map { part in
            String(part.prefix { $0 != ";" }.split(separator: ", add ").first ?? "")
        }
    }
}
