public import DelimitedText
public import Domain
public import Foundation

/// How a source writes its stock files: what `sources[].format` of the configuration says.
///
/// Everything has a default; with none of it set, a CSV, TSV or .xlsx file with usual English or Vietnamese headers is
/// read.
public struct StockFileFormat: Sendable, Equatable {
    /// What kind of file it is.
    public enum FileType: String, Sendable, CaseIterable {
        /// Found out from the first bytes.
        case auto
        /// Cells separated by a comma or whatever ``StockFileFormat/separator`` says.
        case csv
        /// Cells separated by tabs.
        case tsv
        /// An Excel workbook.
        case xlsx
    }

    /// Which character stands before the decimals.
    public enum DecimalMark: String, Sendable, CaseIterable {
        /// Found out from the numbers of the file; a number that could be either is set aside unless another number
        /// of the file decides.
        case auto
        /// `1,234.5`
        case point = "."
        /// `1.234,5`
        case comma = ","
    }

    /// What two rows of the same SKU and warehouse mean. Equal rows always count once, except under `sum`.
    public enum Duplicates: String, Sendable, CaseIterable {
        /// Different quantities: all rows of that SKU and warehouse are set aside.
        case reject
        /// The quantities are added up: files with one row a bin.
        case sum
        /// The last row counts.
        case last
    }

    /// The header texts to look for, per column. Case, accents, blanks and punctuation do not matter.
    public struct Columns: Sendable, Equatable {
        /// The article's code.
        public var sku: [String]
        /// The warehouse's name.
        public var warehouse: [String]
        /// The quantity on hand.
        public var onHand: [String]
        /// Units that the ERP has promised already; optional.
        public var reserved: [String]
        /// When the ERP extracted the row; needed only if ``StockFileFormat/asOfFromColumn``.
        public var asOf: [String]

        /// Usual English and Vietnamese headers, unless stated.
        public init(
            sku: [String] = ["SKU", "Item", "Item code", "ERP code", "Mã hàng", "Mã vật tư"],
            warehouse: [String] = ["Warehouse", "Location", "Kho", "Mã kho"],
            onHand: [String] = ["On hand", "Quantity", "Qty", "Tồn kho", "Số lượng", "Tồn"],
            reserved: [String] = ["Reserved", "Đã đặt"],
            asOf: [String] = ["As of", "As of date", "Ngày", "Thời điểm"]
        ) {
            self.sku = sku
            self.warehouse = warehouse
            self.onHand = onHand
            self.reserved = reserved
            self.asOf = asOf
        }
    }

    /// The kind of file.
    public var type: FileType = .auto
    /// The encoding of delimited text; nil finds out (UTF-8, UTF-16, anything with a byte order mark).
    public var encoding: TextEncoding?
    /// The separator of delimited text, ASCII; nil finds out.
    public var separator: Character?
    /// The decimal mark of numbers in text.
    public var decimal: DecimalMark = .auto
    /// Headers to look for.
    public var columns = Columns()
    /// One column per warehouse: header text to warehouse. Replaces the warehouse and on-hand columns if not empty.
    public var wideWarehouses: [String: WarehouseName] = [:]
    /// The warehouse of every row of a file that has no warehouse column.
    public var defaultWarehouse: WarehouseName?
    /// Regular expressions, tried on a row's text (its cells with one blank between), ignoring case: rows to pass over,
    /// such as totals; of longer rows the first 2,000 characters count. One that begins with `^` and letters costs next
    /// to nothing; others are tried on every row.
    public var skipPatterns: [String] = []
    /// What two rows of the same SKU and warehouse mean.
    public var duplicates: Duplicates = .reject
    /// The worksheet to read; nil is the first visible one.
    public var sheet: String?
    /// Whether `as_of` comes from a column, which then must be there and filled.
    public var asOfFromColumn = false
    /// The zone of dates that state none.
    public var timeZone: TimeZone = .gmt
    /// What the file may hold at most.
    public var limits = StockFileLimits()

    /// Everything found out, nothing declared.
    public init() {}
}

/// What a stock file may hold at most. All are refused with an error, never cut silently.
public struct StockFileLimits: Sendable, Equatable {
    /// The file itself, in bytes.
    public var fileBytes = 268_435_456
    /// A workbook unpacked, in bytes.
    public var inflatedBytes = 1_073_741_824
    /// Rows that may be set aside (`gate.max_bad_rows`); one more and the whole file is refused.
    public var badRows = 100
    /// Rows of stock.
    public var rows = 10_000_000
    /// Different warehouses.
    public var warehouses = 1_000
    /// The longest row, in bytes of UTF-8.
    public var rowBytes = 65_536
    /// The longest cell, in bytes of UTF-8.
    public var cellBytes = 32_768
    /// The longest SKU or warehouse name, in bytes of UTF-8.
    public var nameBytes = 255
    /// How many rows may stand above the header.
    public var rowsAboveHeader = 50

    /// The defaults of the configuration.
    public init() {}
}
