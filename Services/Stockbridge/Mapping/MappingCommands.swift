import ArgumentParser
import Contracts
import Domain
import Foundation
import Settings

/// `stockbridge mapping`.
struct MappingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mapping", abstract: "What the shops' listings are in the ERP.",
        discussion: """
            EXAMPLES:
              stockbridge mapping list --shop danang --unmapped
              stockbridge mapping suggest danang QUA-TET-27          codes that look like it
              stockbridge mapping set wholesale SET-6 ABC-123 --units 6
              stockbridge mapping import aliases.csv                  shop,shop_sku,erp_code,units_per_pack
              stockbridge mapping export > aliases.csv
            """,
        subcommands: [
            MappingList.self, MappingSuggest.self, MappingSet.self, MappingImport.self, MappingExport.self,
        ])
}

/// `stockbridge mapping list`.
struct MappingList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Listings and their ERP codes.")

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Only of this shop.")
    var shop: String?

    @Flag(name: .long, help: "Only those without a single ERP code.")
    var unmapped = false

    @Option(name: .long, help: "How many.")
    var limit = 50

    func run() async throws {
        let configuration = try global.load()
        if let shop { try Known.shop(shop, in: configuration) }
        let page = try await OperatorDatabase.with(configuration) { database in
            try await MappingStore(database: database).list(shop: shop, unmappedOnly: unmapped, limit: limit)
        }
        try global.print(page, text: Self.text(page, Console.style))
    }

    static func text(_ page: MappingPage, _ style: TextStyle) -> String {
        guard !page.listings.isEmpty else { return "There are no such listings." }
        var table = TextTable([
            ("shop", .left), ("listing", .left), ("SKU", .left), ("title", .left), ("is", .left), ("ERP code", .left),
        ])
        for entry in page.listings {
            let pack = (entry.unitsPerPack ?? 1) > 1 ? " x \(entry.unitsPerPack ?? 1)" : ""
            let code = entry.erpCode.map { $0 + pack } ?? (entry.candidates ?? []).joined(separator: " or ")
            table.add([
                entry.shop.cut(to: 10), entry.listing.cut(to: 15), (entry.sku ?? "-").cut(to: 18),
                entry.title.cut(to: 20),
                entry.mapping == "mapped" ? entry.via ?? "mapped" : style.warning(entry.mapping),
                code.cut(to: 20),
            ])
        }
        let footer = "\(Wording.grouped(page.listings.count)) of \(Wording.count(page.total, "listing"))"
        return table.text(indent: 0, style: style) + "\n" + style.dim(footer)
    }
}

/// `stockbridge mapping suggest`.
struct MappingSuggest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suggest", abstract: "ERP codes that look like a SKU; nothing is set.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The shop, whose rules count.")
    var shop: String

    @Argument(help: "The SKU as the shop writes it.")
    var sku: String

    @Option(name: .long, help: "How many.")
    var limit = 5

    private struct Answer: Encodable {
        var shop: String
        var sku: String
        var suggestions: [MappingIndex.Suggestion]
    }

    func run() async throws {
        let configuration = try global.load()
        try Known.shop(shop, in: configuration)
        let rules = configuration.shop(named: ShopName(rawValue: shop))?.mapping.rules ?? []
        let codes = try await OperatorDatabase.with(configuration) { database in
            try await MappingStore(database: database).codes()
        }
        let found = MappingIndex(codes: codes, rules: rules).suggestions(for: ShopSKU(rawValue: sku), limit: limit)
        let lines = found.map { suggestion in
            "\(String(format: "%3.0f %%", suggestion.similarity * 100))  \(suggestion.code.rawValue)"
        }
        try global.print(
            Answer(shop: shop, sku: sku, suggestions: found),
            text: lines.isEmpty
                ? "No ERP code looks like '\(sku)'."
                : (lines + ["", "stockbridge mapping set \(shop) '\(sku)' CODE   to take one"]).joined(separator: "\n"))
    }
}

/// `stockbridge mapping set`.
struct MappingSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Say what a shop's SKU is in the ERP; stands above the rules.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The shop.")
    var shop: String

    @Argument(help: "The shop's SKU, or with --listing the listing's id.")
    var shopSKU: String

    @Argument(help: "The ERP's code.")
    var erpCode: String

    @Option(name: .long, help: "ERP units in one unit of the listing.")
    var units = 1

    @Flag(name: .long, help: "The second argument is a listing's id: for listings without a SKU.")
    var listing = false

    func validate() throws {
        guard (1...1_000_000).contains(units) else { throw ValidationError("--units is from 1 to 1,000,000.") }
        guard !shopSKU.allSatisfy(\.isWhitespace), !erpCode.allSatisfy(\.isWhitespace) else {
            throw ValidationError("A blank never matches: say a SKU and an ERP code.")
        }
    }

    func run() async throws {
        try Known.shop(shop, in: try global.load())
        let entry = AliasEntry(
            shop: shop, shopSku: listing ? nil : shopSKU, listing: listing ? shopSKU : nil, erpCode: erpCode,
            unitsPerPack: units)
        try await global.command(.stockPublisher, .mappingSet, entry.arguments, waitSeconds: waiting.wait)
    }
}

/// `stockbridge mapping import`.
struct MappingImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Set many mappings from a CSV file.",
        discussion: "The header is shop,shop_sku,erp_code,units_per_pack; a column listing may stand for shop_sku.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The file, in UTF-8.")
    var file: String

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func run() async throws {
        let configuration = try global.load()
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw ToolError.usage("\(file) cannot be read. Nothing was imported.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ToolError.usage("\(file) is not UTF-8 text; save it as UTF-8. Nothing was imported.")
        }
        let entries = try AliasFile.read(text, file: file, shops: configuration.shops.map(\.name.rawValue))
        guard !entries.isEmpty else { throw ToolError.usage("\(file) has a header and no rows. Nothing was imported.") }
        let shops = Set(entries.map(\.shop)).sorted().joined(separator: ", ")
        if Console.isTerminal {
            try Console.confirm("Set \(Wording.count(entries.count, "mapping")) of \(shops)?", yes: yes)
        }
        try await global.command(
            .stockPublisher, .mappingImport, ["aliases": .array(entries.map { .object($0.arguments) })],
            waitSeconds: waiting.wait)
    }
}

/// `stockbridge mapping export`.
struct MappingExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the mappings that people have set as CSV.")

    @OptionGroup var global: GlobalOptions

    @Option(name: .long, help: "Only of this shop.")
    var shop: String?

    func run() async throws {
        let configuration = try global.load()
        if let shop { try Known.shop(shop, in: configuration) }
        let entries = try await OperatorDatabase.with(configuration) { database in
            try await MappingStore(database: database).aliases(shop: shop)
        }
        try global.print(["mappings": entries], text: AliasFile.write(entries))
    }
}
