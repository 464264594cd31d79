import Testing

/// What a rule says about files that a test makes up, as text.
private func findings(_ rule: some RepositoryRule, _ texts: [String: String]) -> [String] {
    rule.findings(in: SourceTree(texts)).map(\.description)
}

private func lines(_ count: Int) -> String { String(repeating: "    work()\n", count: count) }

@Suite("Each rule finds what breaks it")
struct RuleTests {
    @Test("A file of 501 lines is too long, one of 500 is not")
    func fileLength() {
        let found = findings(FileLengthRule(), ["Shared/A/A.swift": lines(501), "infra/a.sh": lines(500)])
        #expect(found == ["Shared/A/A.swift: has 501 lines; split it by topic"])
    }

    @Test("A function of 71 lines is too long, one of 70 is not")
    func functionLength() {
        let long = "  func long(a: Int) throws -> [Int] {\n\(lines(69))  }\n"
        let text = "struct A {\n\(long)  init?() {\n\(lines(68))  }\n}\n"
        let found = findings(FunctionLengthRule(), ["A.swift": text])
        #expect(found == ["A.swift:2: func long has 71 lines; take a part out of it"])
    }

    @Test("Long accessors, and functions inside functions, are measured too")
    func otherBodies() {
        let text = """
            var total: Int {
            \(lines(70))}
            func outer() {
                func inner() async
                    throws
                {
            \(lines(69))    }
            }
            """
        let found = findings(FunctionLengthRule(), ["A.swift": text])
        #expect(found.count == 3)
    }

    @Test("A brace in a string, a comment or a requirement without a body confuses nothing")
    func bracesThatAreNone() {
        let text = """
            protocol P { func required() -> Int; var wanted: Int { get } }
            func a() {
                print("{ \\(values.map { "}" }) {", #"{"#)  // {
                /* { /* { */ */ let x = \"""
                    { " {
                    \"""
            }
            let matched = text.contains(/[{"]/)
            func b() {
            \(lines(70))}
            """
        let functions = SwiftCode(text).functions
        #expect(functions.map(\.name) == ["var wanted", "func a", "func b"])
        #expect(functions.map(\.lineCount) == [1, 6, 72])
    }

    @Test("A line of 121 characters is too wide; letters beyond ASCII count once")
    func lineWidth() {
        let texts = ["A.swift": String(repeating: "a", count: 121), "b.py": String(repeating: "ă", count: 120)]
        #expect(findings(LineWidthRule(), texts) == ["A.swift:1: is 121 characters wide"])
    }

    @Test(
        "Force is found",
        arguments: ["let a = b!", "try! run()", "x as! Int", "f(a)!.b", "a[0]!", "var a: Int!", "\"\\(a!)\""])
    func force(code: String) {
        #expect(findings(ForcedUnwrapRule(), ["A.swift": code]).count == 1)
    }

    @Test(
        "What only looks like force is left alone",
        arguments: ["if !a { }", "a != b", "a!=b", "\"Hello!\"", "// no!", "f(!a)", "#if !DEBUG", "#\"x!\"#"])
    func noForce(code: String) {
        #expect(findings(ForcedUnwrapRule(), ["A.swift": code]).isEmpty)
    }

    @Test("Unchecked sendability without a comment is found")
    func uncheckedReason() {
        let texts = [
            "A.swift": "final class A: @unchecked Sendable {}",
            "B.swift": "/// Only touched on its own thread.\nfinal class B: @unchecked Sendable {}",
        ]
        #expect(findings(UncheckedReasonRule(), texts) == ["A.swift:1: gives no reason"])
    }

    @Test("A clock in the domain is found, one in a service is not")
    func pureDecisions() {
        let texts = ["Shared/Domain/A.swift": "let now = Date()", "Services/S/A.swift": "let now = Date()"]
        let found = findings(PureDecisionRule(), texts)
        #expect(found == ["Shared/Domain/A.swift:1: uses Date(); let the caller pass the value in"])
    }

    @Test("A process that a thread waits for is found")
    func blockingProcess() {
        let wait = "Process" + "()\nprocess.waitUntilExit" + "()"
        let texts = ["A.swift": "let process = \(wait)", "B.swift": "ChildProcess(name: a)"]
        #expect(
            findings(BlockingProcessRule(), texts) == ["A.swift:1: has Process()", "A.swift:2: has waitUntilExit("])
    }

    @Test("A time limit that a test may use up while it waits for its turn is found")
    func timeLimit() {
        let texts = [
            "Tests/Faults/A.swift": "@Test(.timeLimit(.minutes(20)))\n@Test(.timeLimit(.minutes(5)), Other())",
            "Tests/Unit/B.swift": "@Test(.timeLimit(.minutes(1)))",
        ]
        let found = findings(TimeLimitRule(), texts)
        #expect(found == ["Tests/Faults/A.swift:2: ends a test after 5 minutes, turn or no turn"])
    }

    @Test("A file without a declaration is found")
    func emptyFile() {
        let texts = ["A.swift": "import Foundation\n// nothing yet\n", "B.swift": "enum B {}\n"]
        #expect(findings(EmptyFileRule(), texts) == ["A.swift: declares nothing; delete it"])
    }

    @Test("Notes about unfinished work are found, longer words are not")
    func unfinishedWork() {
        let note = "TO" + "DO"
        let texts = ["A.swift": "// \(note): later\n", "docs/b.md": "mas\(note)ns, \(note)S"]
        let found = findings(UnfinishedWorkRule(), texts)
        #expect(found == ["A.swift:1: says \(note); do it, or open an issue"])
    }

    @Test(
        "Matters of one machine are found",
        arguments: [
            "cd /work/main", "key: /root/.ssh/id", "PATH=/Users/me", "-----BEGIN OPENSSH PRIVATE KEY-----",
            "key = ck_0123456789abcdef0123456789abcdef01234567", "DIR=/tmp/devstack",
        ])
    func privateMatter(line: String) {
        #expect(findings(PrivateMatterRule(), ["docs/a.md": line]).count == 1)
    }

    @Test(
        "Paths that are nobody's are left alone",
        arguments: ["https://example.com/work/1", "$DIR/root/x", "a/work/b", "/workshop", "ck_short"])
    func publicMatter(line: String) {
        #expect(findings(PrivateMatterRule(), ["docs/a.md": line]).isEmpty)
    }
}
