public import Foundation
import TestStack

/// The data of one morning, and what must come out of it: worked out by `infra/demo/make_morning.py`, which shares
/// nothing with the product.
public struct Morning: Sendable {
    /// What the file holds, counted independently.
    public struct FileAccounts: Decodable, Sendable {
        /// The file's name.
        public let name: String
        /// Rows in all.
        public let rows: Int
        /// Rows whose quantity counts.
        public let aggregated: Int
        /// Bad rows.
        public let set_aside: Int
        /// Rows that repeat another one.
        public let duplicates_merged: Int
        /// Which rows are bad, and why.
        public let bad_rows: [BadRow]
    }

    /// A row that has to be set aside.
    public struct BadRow: Decodable, Sendable {
        /// From 1.
        public let line: Int
        /// The label of the reason.
        public let reason: String
    }

    /// A listing without a code of the ERP.
    public struct Unmapped: Decodable, Sendable {
        /// `product` or `product/variation`.
        public let listing: String
        /// What the shop calls it; may be blank.
        public let sku: String
        /// What the shelf shows, before and after.
        public let stock: Int
    }

    /// What one shop must show in the end.
    public struct Shop: Decodable, Sendable {
        /// Listings in all.
        public let listed: Int
        /// Listings that nobody may touch.
        public let unmapped: [Unmapped]
        /// The level of every mapped listing.
        public let levels: [String: Int]
        /// The ERP's code of every mapped listing.
        public let codes: [String: String]
        /// Units of the ERP in one of a listing; 1 where it is not named.
        public let packs: [String: Int]?
        /// Listings whose level differs from what the shop had on the first morning.
        public let changed: Int
    }

    private struct Expectations: Decodable {
        let file: FileAccounts
        let shops: [String: Shop]
        let stock: [String: [String: String]]
    }

    /// The stock file.
    public let file: URL
    /// The file's accounts.
    public let accounts: FileAccounts
    /// What must come out.
    public let shops: [String: Shop]
    /// What counts of the file: by the ERP's code and warehouse, as exact decimal.
    public let stock: [String: [String: String]]
    /// The directory of all this.
    let directory: URL

    /// Where a shop's catalogue is.
    func catalogue(of shop: String) -> String { directory.appending(path: "shops/\(shop).jsonl").path() }

    /// The aliases that some shops need.
    public var mapping: URL { directory.appending(path: "mapping.csv") }

    /// Makes a morning.
    ///
    /// - Parameters:
    ///   - day: From 1; later days move about a twentieth of the stock.
    ///   - date: The local date of the first day, such as `2026-01-05`.
    static func make(in directory: URL, skus: Int, seed: Int, day: Int, date: String) async throws -> Morning {
        let output = try await Script.python(
            "infra/demo/make_morning.py",
            [
                directory.path(), "--skus", "\(skus)", "--seed", "\(seed)", "--day", "\(day)", "--as-of",
                "\(date)T05:45",
            ], log: directory.path() + "/make_morning")
        let text = try Data(contentsOf: directory.appending(path: "expectations.json"))
        let expectations = try JSONDecoder().decode(Expectations.self, from: text)
        return Morning(
            file: URL(filePath: output.trimmingCharacters(in: .whitespacesAndNewlines)), accounts: expectations.file,
            shops: expectations.shops, stock: expectations.stock, directory: directory)
    }

    /// The listings whose level is another one than on another day.
    public func differences(from other: Morning, at shop: String) -> Set<String> {
        let (now, then) = (shops[shop]?.levels ?? [:], other.shops[shop]?.levels ?? [:])
        return Set(now.keys.filter { now[$0] != then[$0] })
    }
}

/// Scripts of the repository that tests use as people do.
enum Script {
    /// Runs one with the system's Python and returns what it printed.
    static func python(_ script: String, _ arguments: [String], log: String) async throws -> String {
        try? FileManager.default.createDirectory(
            at: URL(filePath: log).deletingLastPathComponent(), withIntermediateDirectories: true)
        try? FileManager.default.removeItem(atPath: log + ".out")
        let child = try ChildProcess(
            name: script, executable: "/usr/bin/python3", arguments: ["-B", Repository.path(script)] + arguments,
            environment: ProcessInfo.processInfo.environment, log: log)
        guard try await child.waitForExit() == 0 else {
            throw ProcessStackProblem("\(script) failed:\n\(child.tail())")
        }
        return child.output
    }
}
