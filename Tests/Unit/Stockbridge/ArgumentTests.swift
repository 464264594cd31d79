import ArgumentParser
import Foundation
import Testing

@testable import Stockbridge

@Suite("Arguments of the operator's tool")
struct ArgumentTests {
    @Test(
        "What the design names can be said",
        arguments: [
            "config check --service notifier", "config show --json", "config schema", "migrate --dry-run",
            "topology plan", "topology apply --yes", "topology verify --configuration a.yaml", "status --json",
            "status --wait-for runs --timeout 5", "run stock --source erp --dry-run --wait 300",
            "run catalogue --shop hanoi", "shadow on hanoi", "shadow off hanoi --yes", "shadow show hanoi",
            "stock list", "stock show 4f1c", "stock accept 4f1c --reason ok", "stock reject 4f1c --reason no",
            "stock hold add A 1.5 --reason broken --until 3d", "stock hold list", "stock hold end 4f1c",
            "mapping list --shop hanoi --unmapped", "mapping suggest hanoi A", "mapping set hanoi A B --units 6",
            "mapping import a.csv --yes", "mapping export --shop hanoi", "explain stock hanoi A --at 07:30",
        ])
    func understood(_ line: String) throws {
        _ = try StockbridgeCommand.parseAsRoot(line.split(separator: " ").map(String.init))
    }

    @Test(
        "What makes no sense is refused before anything is done",
        arguments: [
            "frobnicate", "stock accept 4f1c", "stock hold add A 0 --reason x --until 3d",
            "stock hold add A -1 --reason x --until 3d", "stock hold add A 1 --until 3d",
            "mapping set hanoi A B --units 0",
            "status --wait-for ever", "status --timeout 0", "run stock --wait -1",
        ])
    func refused(_ line: String) {
        #expect(throws: (any Error).self) {
            _ = try StockbridgeCommand.parseAsRoot(line.split(separator: " ").map(String.init))
        }
    }

    @Test(
        "A time is read as people write it",
        arguments: [
            ("2026-11-22T00:00:00Z", 1_795_305_600), ("2026-11-22T07:00:00+07:00", 1_795_305_600),
            ("2026-11-22 07:00", 1_795_305_600), ("2026-11-22 07:00:05", 1_795_305_605),
            ("2026-11-22", 1_795_280_400), ("06:30", 1_795_303_800), ("90m", 1_795_308_000), ("3d", 1_795_561_800),
        ])
    func times(_ text: String, _ seconds: Double) throws {
        let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
        let date = try TimeArgument.parse(text, timeZone: zone, now: SampleStatus.now)
        #expect(date.timeIntervalSince1970 == seconds)
    }

    @Test("Anything else is no time", arguments: ["", "soon", "25:61", "2026-13-01", "0d", "-3d", "3w"])
    func noTime(_ text: String) {
        #expect(throws: ToolError.self) {
            try TimeArgument.parse(text, timeZone: .gmt, now: SampleStatus.now)
        }
    }

    @Test("The first characters of an id are enough, and only of an id")
    func prefixes() throws {
        #expect(try IDPrefix("4F1C", of: "snapshot").text == "4f1c")
        for text in ["4f1", "4f%c", "nothex", "4f_c"] {
            #expect(throws: ToolError.self) { try IDPrefix(text, of: "snapshot") }
        }
    }
}

@Suite("Words and tables")
struct WordingTests {
    @Test(
        "Durations are told in the unit that fits",
        arguments: [
            (0, "0.0 s"), (0.0004, "1 ms"), (0.045, "45 ms"), (3.21, "3.2 s"), (9.99, "10.0 s"), (59, "59 s"),
            (60, "1 min"), (250, "4 min 10 s"), (7_500, "2 h 5 min"),
            (259_200, "3 days"),
        ])
    func durations(_ seconds: Double, _ text: String) { #expect(Wording.duration(seconds) == text) }

    @Test(
        "Long numbers are grouped",
        arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (-20_000, "-20,000"), (1_234_567, "1,234,567")])
    func numbers(_ number: Int, _ text: String) { #expect(Wording.grouped(number) == text) }

    @Test("Columns line up whatever is coloured in them, and accents count as one")
    func table() {
        var table = TextTable([("a", .left), ("n", .right)])
        table.add([TextStyle(colours: true).bad("Dầu"), "5"])
        table.add(["Sữa tắm", "10"])
        let lines = table.text(indent: 0).split(separator: "\n").map { TextTable.width(String($0)) }
        #expect(lines == [11, 11, 11])
    }

    @Test("No escape sequence without colours")
    func plain() { #expect(TextStyle.plain.bad("x") == "x") }
}
