/// One line `import X` of a Swift file.
struct SwiftImport: Equatable, Sendable {
    let module: String
    /// `public`, `internal`, `package`, ...; empty where none is written.
    let access: String
    let line: Int
}

extension SwiftCode {
    var imports: [SwiftImport] {
        lines.enumerated().compactMap { index, line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == ";" }).map(String.init)
            guard let keyword = words.firstIndex(of: "import"), keyword + 1 < words.count,
                words[..<keyword].allSatisfy({ $0.hasPrefix("@") || Self.accessLevels.contains($0) })
            else { return nil }
            let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let module = words[(keyword + 1)...].first { !kinds.contains($0) } ?? ""
            let access = words[..<keyword].first { Self.accessLevels.contains($0) } ?? ""
            return SwiftImport(module: String(module.prefix { $0 != "." }), access: access, line: index + 1)
        }
    }

    private static let accessLevels: Set = ["public", "package", "internal", "fileprivate", "private"]
}

extension SourceFile {
    /// The module that a Swift file belongs to, as the folders say; nil for tests and for what is no module.
    var module: String? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count > 2, ["Shared", "Services"].contains(parts[0]) else { return nil }
        return parts[1] == "CModules" ? parts[2] : parts[1]
    }

    /// The module whose own unit tests a file belongs to: they see what it sees.
    var moduleUnderTest: String? {
        let parts = path.split(separator: "/").map(String.init)
        return parts.count > 3 && parts[0] == "Tests" && parts[1] == "Unit" ? parts[2] : nil
    }
}

extension SourceTree {
    /// The names of the folders directly below one.
    func folders(in parent: String) -> Set<String> {
        Set(
            paths.filter { $0.hasPrefix(parent + "/") }.compactMap { path in
                let parts = path.dropFirst(parent.count + 1).split(separator: "/").map(String.init)
                return parts.count > 1 ? parts[0] : nil
            })
    }
}

/// No C type reaches code that does not know the library's traps.
struct CModuleImportRule: RepositoryRule {
    static let demand = "a C module is imported by one target alone, as `internal import`"

    func findings(in tree: SourceTree) -> [Finding] {
        let modules = tree.folders(in: "Shared/CModules")
        var importers: [String: Set<String>] = [:]
        var found: [Finding] = []
        var places: [(SourceFile, SwiftImport)] = []
        for file in tree.files(ofKind: "swift") {
            for item in file.code.imports where modules.contains(item.module) {
                importers[item.module, default: []].insert(file.module ?? file.moduleUnderTest ?? file.folder)
                places.append((file, item))
                if item.access != "internal" {
                    found.append(Finding(file, line: item.line, "must say `internal import \(item.module)`"))
                }
            }
        }
        for (file, item) in places {
            let others = importers[item.module, default: []].sorted()
            if others.count > 1 {
                let names = others.joined(separator: ", ")
                found.append(Finding(file, line: item.line, "\(item.module) is imported by \(names); keep one wrapper"))
            }
        }
        return found
    }
}

/// Dependencies point one way: services, what they are built from, contracts, domain; and wrappers at the bottom.
struct DependencyDirectionRule: RepositoryRule {
    static let demand = "a module imports only modules of the layers below its own"

    /// From the bottom to the top. Modules of one layer do not know each other.
    static let layers: [[String]] = [
        ["Concurrency", "DelimitedText", "Domain"],
        ["RabbitMQ", "PostgreSQL", "Transfer", "Spreadsheets", "SpreadsheetWriting", "Charts"],
        ["Contracts", "StockFiles", "Migrations"],
        ["Settings", "Messaging", "ShopConnectors", "ERPConnectors"],
        ["ServiceKit", "DeadLetters"],
        ["ShopAccounts"],
    ]
    /// Libraries that somebody else could lift out: of ours they know only Concurrency and their C module.
    static let wrappers: Set = [
        "RabbitMQ", "PostgreSQL", "Transfer", "Spreadsheets", "SpreadsheetWriting", "Charts",
    ]

    func findings(in tree: SourceTree) -> [Finding] {
        let services = tree.folders(in: "Services")
        let ours = tree.folders(in: "Shared").union(services).subtracting(["CModules"])
        let support = tree.folders(in: "Tests/Support").union(["Testing", "XCTest"])
        return tree.files(ofKind: "swift").flatMap { file -> [Finding] in
            guard let module = file.module, !file.isBelow("Shared/CModules") else { return [] }
            return file.code.imports.compactMap { item in
                let objection = objection(to: item.module, in: module, ours: ours, services: services, support: support)
                return objection.map { Finding(file, line: item.line, $0) }
            } + unknown(file, module, services)
        }
    }

    private func layer(of module: String, services: Set<String>) -> Int? {
        services.contains(module) ? Self.layers.count : Self.layers.firstIndex { $0.contains(module) }
    }

    private func objection(
        to imported: String, in module: String, ours: Set<String>, services: Set<String>, support: Set<String>
    ) -> String? {
        if support.contains(imported) { return "\(module) imports \(imported), which only tests may" }
        guard ours.contains(imported), imported != module else { return nil }
        if services.contains(imported) {
            return "\(module) imports the service \(imported); let them meet in Contracts"
        }
        if Self.wrappers.contains(module), imported != "Concurrency" {
            return "\(module) imports \(imported); a wrapper knows only its C library and Concurrency"
        }
        guard let own = layer(of: module, services: services), let other = layer(of: imported, services: services)
        else { return nil }
        return other < own ? nil : "\(module) imports \(imported), which is not in a layer below it"
    }

    /// A new module needs a place in the table; said once, at its first file in the listing.
    private func unknown(_ file: SourceFile, _ module: String, _ services: Set<String>) -> [Finding] {
        guard layer(of: module, services: services) == nil else { return [] }
        return [Finding(file, "belongs to \(module), which has no layer yet: add it to DependencyDirectionRule.layers")]
    }
}
