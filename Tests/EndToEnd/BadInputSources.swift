import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import Testing

/// The sources of the system that takes bad input: one a test, so that the tests run beside each other.
enum BadInputSources {
    /// SKUs of each source's file, all in warehouse HN, ten units of each.
    static let skus = 10
    static let names = [
        "late", "unfinished", "marker", "cut", "empty", "encoding", "columns", "rows", "toomany", "twice", "older",
        "rejected", "accepted", "hostkey", "password", "refused", "outage", "html", "lost",
        "throttled",
    ]

    /// The entries of `sources`.
    @Sendable static func configuration(incoming: String) -> String {
        names.map { entry($0, directory: "\(incoming)/\($0)") }.joined()
    }

    private static func entry(_ name: String, directory: String) -> String {
        let environment = ProcessInfo.processInfo.environment
        func server(_ what: String) -> String { environment["STOCKBRIDGE_TEST_SFTP_\(what)"] ?? "" }
        let key = name == "password" ? "password: \"${env:PATH}\"" : "private_key: \(server("KEY"))"
        let strange = "SHA256:" + String(repeating: "A", count: 43)
        let zone = "time_zone: Asia/Ho_Chi_Minh"
        return """
              - name: \(name)
                location:
                  type: sftp
                  host: \(server("HOST"))
                  port: \(server("PORT"))
                  user: \(server("USER"))
                  \(key)
                  host_key: "\(name == "hostkey" ? strange : server("FINGERPRINT"))"
                  directory: \(directory)
                  pattern: "stock-*.csv"
                schedule: {cron: "0 6 29 2 *", \(zone)}
                look_every_seconds: 1
                late_after_minutes: 1
                format:
                  decimal: ","
                  columns: {sku: [SKU], warehouse: [Kho], on_hand: [Tồn kho]}
                as_of: {from: file_name, pattern: 'stock-(\\d{8}-\\d{4})', \(zone)}
                quantities: gross
                complete_when: {type: \(name == "marker" ? "marker" : "rename")}
                gate: {max_bad_rows: 3, max_row_change: 0.5, max_to_zero: 0.3, max_units_change: 0.9}

            """
    }

    /// What shops sell of it: the SKUs of every source, in the shop that reacts to it.
    static func products(of source: String) -> [CatalogueProduct] {
        let first = 5_000_000 + (names.firstIndex(of: source) ?? 0) * 100
        return (1...skus).map { number in
            CatalogueProduct(id: first + number, sku: sku(source, number), name: "Sản phẩm \(number)", stock: 1)
        }
    }

    /// A SKU of a source; numbers begin at 1.
    static func sku(_ source: String, _ number: Int) -> String { "\(source.uppercased())-\(100 + number)" }

    /// The shop that sells what a source has.
    static func shop(of source: String) -> String {
        ["refused": "saigon", "outage": "danang", "html": "saigon", "lost": "danang"][source] ?? "hanoi"
    }
}

/// Runs one system for a suite, with all services and every shop let go.
struct BadInputSystem: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let plan = StackPlan(
            skus: 60, edits: [("request_timeout_seconds: 30", "request_timeout_seconds: 2")],
            sources: BadInputSources.configuration)
        try await ProcessStack.with(plan) { stack in
            for source in BadInputSources.names {
                try FileManager.default.createDirectory(
                    at: stack.incoming.appending(path: source), withIntermediateDirectories: true)
                for product in BadInputSources.products(of: source) {
                    try stack.shops[BadInputSources.shop(of: source)]?.add(product)
                }
            }
            try await stack.open()
            try await ProcessStack.$current.withValue(stack) { try await function() }
        }
    }
}

/// One source of the suite's system, and what its file says.
struct BadInput {
    let stack: ProcessStack
    let source: String

    init(_ source: String) throws {
        stack = try #require(ProcessStack.current)
        self.source = source
    }

    var shop: ShopSimulator {
        get throws { try #require(stack.shops[BadInputSources.shop(of: source)]) }
    }

    static let header = "SKU;Kho;Tồn kho"

    func sku(_ number: Int) -> String { BadInputSources.sku(source, number) }

    /// A file's text.
    ///
    /// - Parameter quantities: By SKU's number; ten units unless stated.
    func text(_ quantities: [Int: String] = [:], numbers: [Int] = Array(1...BadInputSources.skus)) -> String {
        let rows = numbers.map { "\(sku($0));HN;\(quantities[$0] ?? "10")" }
        return ([Self.header] + rows).joined(separator: "\n") + "\n"
    }

    func deliver(_ text: String, at time: String) throws { try deliver(Data(text.utf8), at: time) }

    func deliver(_ content: Data, at time: String) throws {
        try stack.deliver(content, as: Self.name(time), into: source)
    }

    /// What a file of that hour of the day is called.
    static func name(_ time: String) -> String { "stock-20260105-\(time).csv" }

    /// `stockbridge run stock` for this source.
    func run(expecting: Set<Int32> = [0], wait: Int = 90) async throws -> String {
        try await stack.stockbridge("run", "stock", "--source", source, "--wait", "\(wait)", expecting: expecting).text
    }

    /// A good file of 05:45, on the shelves.
    func begin(units: String = "10", level: Int = 10) async throws {
        let quantities = Dictionary(uniqueKeysWithValues: (1...BadInputSources.skus).map { ($0, units) })
        try deliver(text(quantities), at: "0545")
        _ = try await run()
        try await shows(Array(repeating: level, count: BadInputSources.skus))
    }

    /// What the shelves show, by SKU's number.
    func shelves() throws -> [Int?] {
        let shop = try shop
        return BadInputSources.products(of: source).map { shop.stock(of: "\($0.id)") }
    }

    /// Waits until the shelves show these levels.
    func shows(_ levels: [Int]) async throws {
        try await stack.wait(for: "the shelves of \(source) to show \(levels)") { try shelves() == levels }
    }

    /// The newest snapshot's id.
    func snapshot(_ state: String) async throws -> String {
        let ids = try await stack.texts(
            "SELECT id::text FROM stock.snapshots WHERE source = $1 AND state = $2 ORDER BY received_at DESC",
            [.text(source), .text(state)])
        return try #require(ids.first, "there is a snapshot of \(source) that is \(state)")
    }
}
