import Testing

@Suite("Every table has its place among what is kept")
struct KeptTablesRuleTests {
    private func findings(_ section: String) -> [String] {
        let tree = SourceTree([
            "Shared/Migrations/SQL/orders_0009_next.sql": "-- What.\nCREATE TABLE orders.next (a int);",
            "docs/architecture.md": "# A\n`orders.before`\n\n\(section)\n\n## Time\n`orders.after`\n",
        ])
        return KeptTablesRule().findings(in: tree).map(\.description)
    }

    @Test("A table is named in that section, not only somewhere")
    func named() {
        #expect(findings(KeptTablesRule.heading + "\n| x | `orders.next` | 7 days |").isEmpty)
        let missing =
            "Shared/Migrations/SQL/orders_0009_next.sql:2: makes orders.next, of which docs/architecture.md does not "
            + "say how long"
        #expect(findings(KeptTablesRule.heading + "\nNothing.") == [missing])
        #expect(findings("`orders.next`") == [missing])
    }

    @Test("A table that does not exist is not told of")
    func gone() {
        let text = KeptTablesRule.heading + "\n| x | `orders.next`, `orders.gone` | 7 days |"
        #expect(findings(text) == ["docs/architecture.md: tells of orders.gone, which no migration makes"])
    }
}
