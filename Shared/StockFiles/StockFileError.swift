public import DelimitedText

/// Why a stock file was not taken at all. The file itself is kept by whoever fetched it.
public enum StockFileError: Error, Equatable {
    /// The system refused to open or read the file.
    case unreadable(file: String, detail: String)
    /// The file is larger than the limit.
    case tooLarge(file: String, limitBytes: Int)
    /// The file has no bytes, or nothing but blank lines.
    case empty(file: String)
    /// The file ends in the middle of a row, or the workbook is not whole.
    case halfWritten(file: String, line: Int?)
    /// Bytes that the declared encoding, or any that can be recognised, does not allow.
    case encoding(file: String, DelimitedTextError)
    /// An old .xls, an encrypted workbook, a PDF, a compressed file.
    case unsupported(file: String, found: String, advice: String)
    /// A workbook that cannot be read or breaks a limit.
    case workbook(file: String, detail: String)
    /// No line has all columns that are needed. `header` is the line that came closest.
    case missingColumns(file: String, line: Int?, header: [String], missing: [MissingColumn])
    /// A header text stands twice, or two columns match the same one.
    case repeatedColumn(file: String, line: Int, column: String, headers: [String])
    /// There is a header and not one usable row.
    case noRows(file: String, setAside: [SetAsideRow])
    /// More rows than allowed would have to be set aside. `first` holds a few of them.
    case tooManyBadRows(file: String, limit: Int, first: [SetAsideRow])
    /// More rows, or more different warehouses, than a stock file has.
    case tooMany(file: String, what: String, limit: Int)
    /// A skip pattern of the configuration is not a regular expression.
    case badPattern(pattern: String)

    /// A column that was looked for and not found.
    public struct MissingColumn: Sendable, Equatable {
        /// What the column is for: `sku`, `warehouse`, `on_hand`, `as_of`.
        public let name: String
        /// The header texts that would have been accepted.
        public let aliases: [String]
    }

    /// From a closed set: safe as a metric's dimension.
    public var label: String {
        switch self {
        case .unreadable: "unreadable"
        case .tooLarge: "too_large"
        case .empty: "empty"
        case .halfWritten: "half_written"
        case .encoding: "encoding"
        case .unsupported: "unsupported"
        case .workbook: "workbook"
        case .missingColumns: "missing_columns"
        case .repeatedColumn: "repeated_column"
        case .noRows: "no_rows"
        case .tooManyBadRows: "too_many_bad_rows"
        case .tooMany: "too_many"
        case .badPattern: "bad_pattern"
        }
    }
}

extension StockFileError: CustomStringConvertible {
    /// What happened, to which file, and what to do.
    public var description: String {
        switch self {
        case .unreadable(let file, let detail):
            return "\(file) cannot be read: \(detail)."
        case .tooLarge(let file, let limit):
            return "\(file) is larger than \(limit) bytes and was not read; raise `gate.max_bytes` if that is right."
        case .empty(let file):
            return "\(file) is empty; nothing was changed. Ask the sender for the file again."
        case .halfWritten(let file, let line):
            let place = line.map { " in the middle of line \($0)" } ?? ""
            return "\(file) ends\(place): it is not complete and nothing was taken from it. Wait for the rest or ask "
                + "for it again."
        case .encoding(let file, let error):
            return "\(file): \(error)"
        case .unsupported(let file, let found, let advice):
            return "\(file) is \(found), which is not read. \(advice)"
        case .workbook(let file, let detail):
            return "\(file): \(detail)"
        case .missingColumns(let file, let line, let header, let missing):
            return Self.describe(file, line, header, missing)
        case .repeatedColumn(let file, let line, let column, let headers):
            let list = headers.map { "\"\($0)\"" }.joined(separator: ", ")
            return "\(file), line \(line): several columns could be `\(column)`: \(list). Nothing was taken; name one "
                + "in `columns`."
        case .noRows(let file, let rows):
            return "\(file) has a header and no usable row; nothing was changed.\(Self.list(rows))"
        case .tooManyBadRows(let file, let limit, let first):
            return "\(file) has more than \(limit) rows that cannot be used, so none was taken.\(Self.list(first))"
        case .tooMany(let file, let what, let limit):
            return "\(file) has more than \(limit) \(what), so nothing was taken from it; check the columns."
        case .badPattern(let pattern):
            return "The skip pattern \"\(pattern)\" is not a regular expression; correct `skip_patterns`."
        }
    }

    private static func describe(
        _ file: String, _ line: Int?, _ header: [String], _ missing: [MissingColumn]
    ) -> String {
        let wanted = missing.map { column in
            "`\(column.name)` (looked for \(column.aliases.map { "\"\($0)\"" }.joined(separator: ", ")))"
        }
        let found =
            line.map { line in
                " The line that came closest is line \(line): \(header.map { "\"\($0)\"" }.joined(separator: ", "))."
            } ?? ""
        return "\(file): no header has the columns \(wanted.joined(separator: " and ")).\(found) "
            + "Nothing was taken; correct the file or add the header to `columns`."
    }

    private static func list(_ rows: [SetAsideRow]) -> String {
        rows.isEmpty ? "" : " " + rows.map { "Line \($0.line): \($0.reason)" }.joined(separator: " ")
    }
}
