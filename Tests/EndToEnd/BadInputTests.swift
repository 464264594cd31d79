import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import Testing

/// Ten levels of a file that says ten of everything.
private let ten = Array(repeating: 10, count: BadInputSources.skus)

@Suite("Bad stock files: a person is told what, where and what to do, and nothing is lost", BadInputSystem())
struct BadInputTests {
    @Test("No file when it is due: an alert at the configured lateness, looking goes on, and the file is taken later")
    func noFile() async throws {
        let input = try BadInput("late")
        // The schedule came due ten minutes ago, while nothing ran.
        _ = try await input.stack.rows(
            "UPDATE shared.schedules SET next_due = now() - interval '10 minutes' WHERE name = 'pick up late'")
        let mail = try await input.stack.mail(saying: "The stock file of source late is late")
        #expect(mail.text.contains("was due at"))
        #expect(mail.text.contains("The last good numbers stay live"))
        #expect(mail.text.contains("looked for every 1 s"))
        try input.deliver(input.text(), at: "0545")
        try await input.shows(ten)
        _ = try await input.stack.mail(saying: "Over: The stock file of source late is late")
    }

    @Test("A file that is still being written under another name is not taken")
    func unfinishedFile() async throws {
        let input = try BadInput("unfinished")
        let part = input.stack.incoming.appending(path: "unfinished/.\(BadInput.name("0545")).part")
        try Data(input.text().prefix(40).utf8).write(to: part)
        let answer = try await input.run()
        #expect(answer.contains("no new file"))
        #expect(try await input.stack.number("SELECT count(*) FROM stock.snapshots WHERE source = 'unfinished'") == 0)
        try input.deliver(input.text(), at: "0545")
        _ = try await input.run()
        try await input.shows(ten)
    }

    @Test("A file without its marker is not taken before the marker comes")
    func missingMarker() async throws {
        let input = try BadInput("marker")
        try input.deliver(input.text(), at: "0545")
        let answer = try await input.run(expecting: [3], wait: 2)
        #expect(answer.contains("has not answered"))
        #expect(try await input.stack.number("SELECT count(*) FROM stock.snapshots WHERE source = 'marker'") == 0)
        try input.stack.deliver(Data(), as: BadInput.name("0545") + ".done", into: "marker")
        try await input.shows(ten)
    }

    @Test(
        "A file that cannot be used is named with its fault, and the last good numbers stay",
        arguments: [
            UnusableFile("empty", "", "is empty", "Ask the sender"),
            UnusableFile("cut", "…cut…", "it is not complete", "ask for it again"),
            UnusableFile("encoding", "…bytes…", "The encoding is unknown", "declare `encoding`"),
            UnusableFile(
                "columns", "SKU;Kho\nCOLUMNS-101;HN\n", "`on_hand` (looked for \"Tồn kho\")", "correct the file"),
            UnusableFile("toomany", "…bad…", "more than 3 rows that cannot be used", "Line 3"),
        ])
    func unusableFile(_ file: UnusableFile) async throws {
        let input = try BadInput(file.source)
        try await input.begin()
        try input.deliver(try file.content(input), at: "0600")
        let answer = try await input.run(expecting: [1])
        let mail = try await input.stack.mail(
            saying: BadInput.name("0600") + " of source \(file.source) cannot be used")
        for words in [file.what, file.advice, BadInput.name("0600"), "stay live"] {
            #expect(answer.contains(words), "the tool says '\(words)'")
            #expect(mail.text.contains(words), "the mail says '\(words)'")
        }
        #expect(try input.shelves() == ten)
        let kept = try await input.stack.number(
            """
            SELECT count(*) FROM stock.snapshots s JOIN shared.files f ON f.id = s.file_id
            WHERE s.source = $1 AND s.state IN ('unreadable', 'refused')
            """, [.text(file.source)])
        #expect(kept == 1, "the file is kept")
    }

    @Test(
        "Rows with text, nothing or no SKU are set aside with their lines; negative and fractional ones count as said")
    func badRows() async throws {
        let input = try BadInput("rows")
        try await input.begin()
        let text = input.text([1: "twelve", 2: "", 3: "-4", 4: "7,9", 5: "11"]) + ";HN;5\n"
        try input.deliver(text, at: "0600")
        let answer = try await input.run()
        #expect(answer.contains("3 rows were set aside"))
        #expect(answer.contains("line 2") && answer.contains("\"twelve\" in \"Tồn kho\" is not a number"))
        try await input.shows([10, 10, 0, 7, 11] + Array(ten.dropFirst(5)))
        let details = try await input.stack.stockbridge("stock", "show", try await input.snapshot("live")).text
        for words in ["twelve", "is empty, which is not the same as 0", "The SKU is blank", "12"] {
            #expect(details.contains(words))
        }
        let lines = try await input.stack.texts(
            """
            SELECT r.line::text FROM stock.set_aside_rows r JOIN stock.snapshots s ON s.id = r.snapshot_id
            WHERE s.source = 'rows' ORDER BY r.line
            """)
        #expect(lines == ["2", "3", "12"])
    }

    @Test("The same SKU and warehouse twice: equal rows count once, different ones are all set aside")
    func sameTwice() async throws {
        let input = try BadInput("twice")
        try await input.begin()
        let text = input.text([1: "11", 2: "12"]) + "\(input.sku(1));HN;99\n\(input.sku(2));HN;12\n"
        try input.deliver(text, at: "0600")
        let answer = try await input.run()
        #expect(answer.contains("2 rows were set aside"))
        #expect(answer.contains("more than once with different quantities"))
        #expect(answer.contains("Repeated rows merged: 1"))
        try await input.shows([10, 12] + Array(ten.dropFirst(2)))
    }

    @Test("A file older than the last is refused and kept")
    func olderFile() async throws {
        let input = try BadInput("older")
        try await input.begin()
        try input.deliver(input.text([1: "99"]), at: "0530")
        let answer = try await input.run(expecting: [1])
        let mail = try await input.stack.mail(saying: BadInput.name("0530") + " is older than the live numbers")
        for text in [answer, mail.text] {
            #expect(text.contains(BadInput.name("0530")))
            #expect(text.contains("send a newer file"))
        }
        #expect(try input.shelves() == ten)
        _ = try await input.snapshot("refused")
    }

    @Test("60 % gone to zero is held until a person rejects it, and the shops keep the last good numbers")
    func heldAndRejected() async throws {
        let input = try BadInput("rejected")
        try await hold(input)
        let id = try await input.snapshot("held")
        let refusal = try await input.stack.stockbridge(
            "stock", "reject", id, "--reason", " ", expecting: [1, 2]
        ).text
        #expect(refusal.lowercased().contains("reason"))
        let answer = try await input.stack.stockbridge("stock", "reject", id, "--reason", "sent by mistake").text
        #expect(answer.contains("is rejected by"))
        #expect(try input.shelves() == ten)
        try input.deliver(input.text([1: "9"]), at: "0630")
        _ = try await input.run()
        try await input.shows([9] + Array(ten.dropFirst()))
    }

    @Test("60 % gone to zero goes live once a person accepts it")
    func heldAndAccepted() async throws {
        let input = try BadInput("accepted")
        try await hold(input)
        let id = try await input.snapshot("held")
        let answer = try await input.stack.stockbridge(
            "stock", "accept", String(id.prefix(8)), "--reason", "stock-take"
        ).text
        #expect(answer.contains("accepted by"))
        try await input.shows(Array(repeating: 0, count: 6) + Array(repeating: 10, count: 4))
    }

    private func hold(_ input: BadInput) async throws {
        try await input.begin()
        try input.deliver(input.text(Dictionary(uniqueKeysWithValues: (1...6).map { ($0, "0") })), at: "0600")
        let answer = try await input.run(expecting: [0, 3])
        #expect(answer.contains("is held and the last good numbers stay live"))
        let mail = try await input.stack.mail(saying: "Stock of \(input.source) is held: please decide")
        let id = try await input.snapshot("held")
        for words in [BadInput.name("0600"), "60", "stockbridge stock accept \(id)", "stockbridge stock reject \(id)"] {
            #expect(mail.text.contains(words), "the mail says '\(words)'")
        }
        let status = try await input.stack.status()
        #expect(status.attention.contains { $0.what.contains("source \(input.source) is held") })
        #expect(try input.shelves() == ten)
    }

    @Test("A server with another host key is told nothing, and a person is told both keys")
    func hostKeyChanged() async throws {
        let input = try BadInput("hostkey")
        try input.deliver(input.text(), at: "0545")
        let answer = try await input.run(expecting: [1])
        let mail = try await input.stack.mail(saying: "Source hostkey shows another host key")
        let found = ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_SFTP_FINGERPRINT"] ?? ""
        for text in [answer, mail.text] {
            #expect(text.contains(found) && text.contains("SHA256:AAAA"))
            #expect(text.contains("Ask"))
            #expect(text.contains("only then enter the new one"))
        }
        #expect(try input.shelves() == Array(repeating: 1, count: BadInputSources.skus), "nothing was written")
    }

    @Test("A wrong password is reported with the account it is for")
    func wrongPassword() async throws {
        let input = try BadInput("password")
        try input.deliver(input.text(), at: "0545")
        let answer = try await input.run(expecting: [1])
        let mail = try await input.stack.mail(saying: "Source password does not let us in")
        let user = ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_SFTP_USER"] ?? ""
        for text in [answer, mail.text] {
            #expect(text.contains("does not let \(user) in"))
            #expect(text.contains("Check the account"))
        }
        let secret = ProcessInfo.processInfo.environment["PATH"] ?? "?"
        #expect(!answer.contains(secret) && !mail.text.contains(secret), "the password is nowhere")
    }
}

/// A file of which nothing can be taken, and what is said about it.
struct UnusableFile: Sendable, CustomTestStringConvertible {
    let source: String
    let form: String
    let what: String
    let advice: String

    init(_ source: String, _ form: String, _ what: String, _ advice: String) {
        (self.source, self.form, self.what, self.advice) = (source, form, what, advice)
    }

    var testDescription: String { source }

    func content(_ input: BadInput) throws -> Data {
        switch source {
        case "cut": Data(input.text().utf8.dropLast(8))
        // "Tồn kho" in no encoding that can be told from the bytes.
        case "encoding": Data("SKU;Kho;T".utf8) + [0xd4, 0x81, 0x8d] + Data("n kho\nENCODING-101;HN;5\n".utf8)
        case "toomany": Data(input.text([1: "10", 2: "a", 3: "b", 4: "c", 5: "d"]).utf8)
        default: Data(form.utf8)
        }
    }
}
