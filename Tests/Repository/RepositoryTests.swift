import Testing

@Suite("The repository keeps its own rules")
struct RepositoryTests {
    static let rules: [any RepositoryRule.Type] = [
        FileLengthRule.self, FunctionLengthRule.self, LineWidthRule.self, ForcedUnwrapRule.self,
        UncheckedReasonRule.self, PureDecisionRule.self, BlockingProcessRule.self, TimeLimitRule.self,
        CModuleImportRule.self, DependencyDirectionRule.self,
        TargetPathRule.self, EmptyFileRule.self, DocumentationLinkRule.self, NamedScriptRule.self,
        InfrastructureRule.self, UnfinishedWorkRule.self, PrivateMatterRule.self, MigrationRule.self,
        KeptTablesRule.self,
    ]

    @Test("The files were found")
    func filesWereFound() {
        #expect(SourceTree.repository.file("Package.swift") != nil)
        #expect(SourceTree.repository.files(ofKind: "swift").count > 10)
        #expect(!SourceTree.repository.paths.contains { $0.hasPrefix(".build") || $0.hasPrefix(".git/") })
    }

    @Test("Every rule is kept", arguments: rules.indices)
    func everyRuleIsKept(index: Int) {
        let rule = Self.rules[index]
        let findings = rule.init().findings(in: .repository)
        let list = findings.prefix(40).map { "  \($0)" }.joined(separator: "\n")
        let isKept = findings.isEmpty
        #expect(isKept, "\(rule.demand), but there are \(findings.count) findings:\n\(list)")
    }
}
