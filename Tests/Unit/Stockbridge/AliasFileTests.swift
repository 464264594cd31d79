import Testing

@testable import Stockbridge

@Suite("The file that mapping import reads and mapping export writes")
struct AliasFileTests {
    private func read(_ text: String) throws -> [AliasEntry] {
        try AliasFile.read(text, file: "a.csv", shops: ["hanoi", "saigon"])
    }

    private func problem(_ text: String) -> String {
        do {
            return "\(try read(text))"
        } catch {
            return "\(error)"
        }
    }

    @Test("A file with the four columns is read; a pack is one unit unless told")
    func plain() throws {
        let entries = try read("shop,shop_sku,erp_code,units_per_pack\nhanoi,A-6,A,6\nsaigon,B,B-1,\n")
        #expect(
            entries == [
                AliasEntry(shop: "hanoi", shopSku: "A-6", erpCode: "A", unitsPerPack: 6),
                AliasEntry(shop: "saigon", shopSku: "B", erpCode: "B-1"),
            ])
    }

    @Test("Quotes, commas and line breaks inside them, CR LF, a byte order mark and blank lines are understood")
    func quoting() throws {
        let entries = try read("\u{FEFF}shop,listing,erp_code\r\n\r\nhanoi,\"1,\"\"2\"\"\n3\",A\r\n")
        #expect(entries == [AliasEntry(shop: "hanoi", listing: "1,\"2\"\n3", erpCode: "A")])
    }

    @Test("What is written is read back the same")
    func roundTrip() throws {
        let entries = [
            AliasEntry(shop: "hanoi", shopSku: "a \"b\", c", erpCode: "X", unitsPerPack: 12),
            AliasEntry(shop: "saigon", listing: "77/78", erpCode: "0001"),
        ]
        #expect(try read(AliasFile.write(entries)) == entries)
    }

    @Test("Every bad row is told with its line, and nothing is imported")
    func problems() {
        let text = problem(
            "shop,shop_sku,erp_code,units_per_pack\nhue,A,A,1\nhanoi,A,,1\nhanoi,,A,1\nhanoi,A,A,0\nhanoi,A,A\n")
        #expect(
            text == """
                a.csv:2: there is no shop 'hue'; there are hanoi, saigon
                a.csv:3: the ERP code is empty
                a.csv:4: either the shop's SKU or the listing is needed, and not both
                a.csv:5: units_per_pack must be a whole number from 1 to 1,000,000
                a.csv:6: 3 cells instead of 4
                Nothing was imported.
                """)
    }

    @Test("A missing column, an empty file and an open quote are told")
    func files() {
        #expect(problem("shop,shop_sku\n").contains("the column 'erp_code' is missing"))
        #expect(problem("shop,erp_code\n").contains("one of the columns shop_sku and listing"))
        #expect(problem("").contains("is empty"))
        #expect(problem("shop,shop_sku,erp_code\nhanoi,\"A,A\n").hasPrefix("a.csv:2: a quote is opened"))
    }
}
