public import Domain

extension StockbridgeConfiguration {
    /// `sources[].format`: how a source's files are written. `auto` finds out per file.
    public struct FileFormat: Sendable, Hashable {
        /// The kind of file.
        public enum Kind: String, Sendable, Hashable, CaseIterable {
            case auto, csv, tsv, xlsx
        }

        /// The text's encoding.
        public enum Encoding: String, Sendable, Hashable, CaseIterable {
            case auto
            case utf8 = "utf-8"
            case utf16 = "utf-16"
            case utf16LittleEndian = "utf-16le"
            case utf16BigEndian = "utf-16be"
            case windows1258 = "windows-1258"
            case windows1251 = "windows-1251"
        }

        /// What stands between two cells. The raw value is the character itself, except for `auto`.
        public enum Separator: String, Sendable, Hashable, CaseIterable {
            case auto
            case comma = ","
            case semicolon = ";"
            case tab = "\t"
            case pipe = "|"
        }

        /// What stands before the fraction of a number.
        public enum DecimalMark: String, Sendable, Hashable, CaseIterable {
            case auto
            case point = "."
            case comma = ","
        }

        /// What to do with a SKU and warehouse that stand twice with different numbers.
        public enum DuplicatePolicy: String, Sendable, Hashable, CaseIterable {
            /// All of them are set aside.
            case reject
            /// They are added up (files with bins).
            case sum
            /// The last one counts.
            case last
        }

        /// What a SKU means that was in an earlier file and is missing from this one.
        public enum MissingSKUPolicy: Sendable, Hashable {
            /// Its number stays, and is reported.
            case keep
            /// It is zero.
            case zero
            /// It is zero once it was missing from that many files in a row.
            case zeroAfter(files: Int)
        }

        /// The kind of file.
        public let type: Kind
        /// The text's encoding.
        public let encoding: Encoding
        /// What stands between two cells.
        public let separator: Separator
        /// What stands before the fraction of a number.
        public let decimal: DecimalMark
        /// The headings of the columns that are read.
        public let columns: Columns
        /// For files with one quantity column per warehouse: the headings of each warehouse's column. Empty otherwise.
        public let wideWarehouses: [WarehouseName: [String]]
        /// Regular expressions (ICU, ignoring case); a line that one of them finds something in is no row of stock.
        public let skipPatterns: [String]
        /// The same SKU and warehouse twice.
        public let duplicates: DuplicatePolicy
        /// A SKU that is missing.
        public let missingSKU: MissingSKUPolicy
    }

    /// `sources[].format.columns`: the headings under which a column may appear. Empty where the file has none.
    public struct Columns: Sendable, Hashable {
        /// The SKU; at least one heading.
        public let sku: [String]
        /// The warehouse; empty in wide files.
        public let warehouse: [String]
        /// The quantity on hand; empty in wide files.
        public let onHand: [String]
        /// The reserved quantity; may be empty.
        public let reserved: [String]
        /// The time of extraction; may be empty.
        public let asOf: [String]
    }
}
