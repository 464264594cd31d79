import Testing

private func findings(_ rule: some RepositoryRule, _ texts: [String: String]) -> [String] {
    rule.findings(in: SourceTree(texts)).map(\.description)
}

@Suite("Each rule about the structure finds what breaks it")
struct StructureRuleTests {
    @Test("A C module that is imported publicly, or twice, is found")
    func cModules() {
        let texts = [
            "Shared/CModules/CCurl/module.modulemap": "", "Shared/Transfer/A.swift": "internal import CCurl",
            "Shared/Transfer/B.swift": "import CCurl",
        ]
        #expect(findings(CModuleImportRule(), texts) == ["Shared/Transfer/B.swift:1: must say `internal import CCurl`"])
        let twice = texts.merging(["Services/S/C.swift": "internal import CCurl"]) { first, _ in first }
        #expect(findings(CModuleImportRule(), twice).count == 4)
    }

    @Test("A test that imports a C module is a second importer, but for the wrapper's own unit tests")
    func cModuleInTest() {
        let texts = [
            "Shared/CModules/CZip/shim.h": "", "Shared/Spreadsheets/A.swift": "internal import CZip",
            "Tests/Unit/Spreadsheets/A.swift": "internal import CZip",
        ]
        #expect(findings(CModuleImportRule(), texts).isEmpty)
        for other in ["Tests/Unit/StockFiles/A.swift", "Tests/Integration/Spreadsheets/A.swift"] {
            let more = texts.merging([other: "internal import CZip"]) { first, _ in first }
            #expect(findings(CModuleImportRule(), more).count == 3)
        }
    }

    @Test(
        "An import against the direction is found",
        arguments: [
            ("Services/A/A.swift", "import B", "A imports the service B; let them meet in Contracts"),
            ("Shared/Domain/A.swift", "public import Contracts", "not in a layer below"),
            ("Shared/Messaging/A.swift", "import ShopConnectors", "not in a layer below"),
            ("Shared/RabbitMQ/A.swift", "import Domain", "a wrapper knows only"),
            ("Shared/ServiceKit/A.swift", "import A", "the service A"),
            ("Shared/Contracts/A.swift", "internal import struct Simulators.Shop", "which only tests may"),
            ("Shared/Novelty/A.swift", "struct A {}", "has no layer yet"),
        ])
    func direction(path: String, text: String, message: String) {
        var texts = [
            "Services/A/Main.swift": "import ServiceKit", "Services/B/Main.swift": "", "Shared/Domain/D.swift": "",
            "Tests/Support/Simulators/S.swift": "import Domain", "Shared/RabbitMQ/R.swift": "import Concurrency",
            "Shared/Contracts/C.swift": "public import Domain", "Shared/ServiceKit/K.swift": "import Messaging",
            "Shared/Messaging/M.swift": "", "Shared/ShopConnectors/S.swift": "", "Shared/Concurrency/C.swift": "",
        ]
        #expect(findings(DependencyDirectionRule(), texts) == [])
        texts[path] = text
        let found = findings(DependencyDirectionRule(), texts)
        #expect(found.count == 1 && found.allSatisfy { $0.contains(message) }, "\(found)")
    }

    @Test("Attributes, access levels and kinds of an import are understood")
    func importLines() {
        let code = SwiftCode("@testable import A\n  public import struct B.C\n// import D\nlet e = \"import E\"")
        #expect(code.imports.map(\.module) == ["A", "B"])
        #expect(code.imports.map(\.access) == ["", "public"])
    }

    @Test("A target without a folder, and a file without a target, are found")
    func targets() {
        let package = """
            shared("Domain"), shared("Gone"),
            cShim("CCurl", library: "curl"), service("Notifier", executable: "notifier", []),
            tests(
                "DomainTests", "Unit/Domain", []), .systemLibrary(name: "CZip", path: "Shared/CModules/CZip"),
            """
        let texts = [
            "Package.swift": package, "Shared/Domain/A.swift": "", "Shared/CModules/CCurl/shim.c": "",
            "Shared/CModules/CZip/shim.h": "", "Services/Notifier/A.swift": "", "Tests/Unit/Domain/A.swift": "",
            "Tests/Unit/Lost/A.swift": "",
        ]
        #expect(
            findings(TargetPathRule(), texts) == [
                "Package.swift:1: Shared/Gone does not exist",
                "Tests/Unit/Lost/A.swift: belongs to no target of Package.swift",
            ])
    }

    @Test("A link to nothing is found, in a code block it is not looked at")
    func links() {
        let texts = [
            "README.md": """
            [a](docs/a.md) [b](docs/b.md) [c](docs/a.md#the-second-part) [d](docs/a.md#third) [e](#own--part)
            [web](https://example.com/x) `[code](nowhere.md)`
            ```
            [code](nowhere.md)
            ```
            # Own & part
            """,
            "docs/a.md": "[up](../README.md) [root](/docs/a.md)\n## The `second` part\n",
        ]
        #expect(
            findings(DocumentationLinkRule(), texts) == [
                "README.md:1: links to docs/b.md, which does not exist",
                "README.md:1: links to docs/a.md#third, but docs/a.md has no such heading",
            ])
    }

    @Test("A script that only a text knows is found")
    func namedScripts() {
        let texts = ["Makefile": "demo:\n\t./infra/demo.sh && infra/stack/up.sh .stack\n", "infra/stack/up.sh": ""]
        #expect(findings(NamedScriptRule(), texts) == ["Makefile:2: names infra/demo.sh, which does not exist"])
    }

    @Test("Equipment that nothing names, or that cannot be run, is found")
    func infrastructure() {
        let tree = SourceTree([
            SourceFile(path: "infra/used.sh", text: "#!/bin/bash\n"),
            SourceFile(path: "infra/forgotten.sh", text: "#!/bin/bash\n", isExecutable: true),
            SourceFile(path: "infra/part.sh", text: "true\n", isExecutable: true),
            SourceFile(path: "Makefile", text: "test:\n\tinfra/used.sh && . infra/part.sh\n"),
        ])
        #expect(
            InfrastructureRule().findings(in: tree).map(\.description) == [
                "infra/forgotten.sh: is named by no other file; delete it or say what it is for",
                "infra/used.sh: is not executable", "infra/part.sh: is executable without a #! line",
            ])
    }

    @Test("What .gitignore names is not looked at")
    func ignored() {
        #expect(SourceTree.repository.paths.allSatisfy { !$0.contains("__pycache__") && !$0.hasSuffix(".o") })
    }
}
