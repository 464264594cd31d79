import Foundation
import Testing

@testable import Transfer

@Suite("Mail headers and addresses")
struct MailRulesTests {
    @Test func addressesAreReadAsPeopleWriteThem() throws {
        #expect(try MailAddress(parsing: " a@b.example ") == MailAddress(address: "a@b.example"))
        #expect(
            try MailAddress(parsing: "Stockbridge <stock@b.example>")
                == MailAddress(name: "Stockbridge", address: "stock@b.example"))
        #expect(
            try MailAddress(parsing: "\"Kho \\\"A\\\", tầng 2\" <a@b.example>")
                == MailAddress(name: "Kho \"A\", tầng 2", address: "a@b.example"))
        #expect(try MailAddress(parsing: "<a@b>") == MailAddress(address: "a@b"))
    }

    @Test(arguments: [
        "", "a", "@b", "a@", "a@b@c", "a b@c", ".a@b", "a..b@c", "a@-b", "a@b..c", "a@b_c", "a@b,c@d", "ồ@b",
        "a@b\r\nBcc: c@d", "a\n@b", "x\ny <a@b>",
    ])
    func whatIsNoAddressIsRefused(_ text: String) {
        #expect(throws: TransferError.self) { try MailAddress(parsing: text) }
    }

    @Test func plainTextStaysAndEverythingElseIsEncoded() {
        #expect(MailHeaders.text("Stock is late", indent: 9) == "Stock is late")
        #expect(MailHeaders.text("=?UTF-8?Q?x?=", indent: 9) == "=?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=")
        #expect(MailHeaders.text("Tồn", indent: 9) == "=?UTF-8?B?VOG7k24=?=")
    }

    @Test func encodedWordsAreOfWholeCharactersAndShortLines() throws {
        let text = String(repeating: "Nguyễn ", count: 40) + "🌸"
        let lines = MailHeaders.encodedWords(text, indent: 9).components(separatedBy: "\r\n ")
        #expect(lines.count > 1)
        var decoded = ""
        for (number, line) in lines.enumerated() {
            #expect(line.utf8.count <= (number == 0 ? 76 - 9 : 75))
            let data = try #require(Data(base64Encoded: String(line.dropFirst(10).dropLast(2))))
            decoded += try #require(String(data: data, encoding: .utf8))
        }
        #expect(decoded == text)
    }

    @Test func namesAreQuotedOrEncodedWhereTheyMustBe() {
        func written(_ name: String?) -> String { MailHeaders.address(MailAddress(name: name, address: "a@b")) }
        #expect(written(nil) == "a@b" && written("") == "a@b")
        #expect(written("Kho 1") == "Kho 1 <a@b>")
        #expect(written("Kho, \"1\"") == "\"Kho, \\\"1\\\"\" <a@b>")
        #expect(written("Hà") == "=?UTF-8?B?SMOg?=\r\n <a@b>")
    }

    @Test func datesAreWrittenInUTC() {
        #expect(MailHeaders.date(Date(timeIntervalSince1970: 1_795_240_807)) == "Sat, 21 Nov 2026 06:00:07 +0000")
        #expect(MailHeaders.date(Date(timeIntervalSince1970: 0)) == "Thu, 01 Jan 1970 00:00:00 +0000")
    }

    @Test func attachmentNamesKeepTheirLetters() {
        #expect(MailHeaders.disposition(filename: "a b.csv") == "Content-Disposition: attachment; filename=\"a b.csv\"")
        #expect(
            MailHeaders.disposition(filename: "ồ\".csv")
                == "Content-Disposition: attachment;\r\n filename*=UTF-8''%E1%BB%93%22.csv")
    }

    @Test(arguments: [
        MailMessage.Header("Subject", "x"), .init("X-Batch Name", "x"), .init("X-", "x\r\nBcc: c@d"),
        .init("X-Batch", "x\ny"), .init("X-Batch", "số"), .init("X-Batch:", "x"),
    ])
    func aHeaderThatCouldBeginAnotherOneIsRefused(_ header: MailMessage.Header) throws {
        var message = MailMessage(
            from: MailAddress(address: "a@b.example"), to: [MailAddress(address: "c@d.example")], subject: "Late",
            messageID: "1@b.example", date: Date(timeIntervalSince1970: 0), text: "",
            headers: [.init("X-Stockbridge-Batch", "saigon-20261122-1200")])
        try MailRules.check(message)
        #expect(MailHeaders.lines(message).last == "X-Stockbridge-Batch: saigon-20261122-1200")
        message.headers = [header]
        #expect(throws: TransferError.self) { try MailRules.check(message) }
    }
}
