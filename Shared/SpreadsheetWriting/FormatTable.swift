internal import CXLSXWriter

/// How a number is shown.
enum NumberFormat: Hashable {
    case general
    case text
    case integer
    case decimal(places: Int)
    case money(places: Int)
    case dateTime

    init(_ kind: Column.Kind) {
        switch kind {
        case .text: self = .text
        case .integer: self = .integer
        case .decimal(let places): self = .decimal(places: places)
        case .money(let places): self = .money(places: places)
        case .dateTime: self = .dateTime
        }
    }

    /// Whether numbers look right in it.
    var isForNumbers: Bool {
        switch self {
        case .integer, .decimal, .money: true
        case .general, .text, .dateTime: false
        }
    }

    /// The format in the notation of the file; nil is the built-in general one.
    var code: String? {
        switch self {
        case .general: nil
        case .text: "@"
        case .integer: "0"
        case .decimal(let places): "0" + Self.fraction(places)
        case .money(let places): "#,##0" + Self.fraction(places)
        case .dateTime: "yyyy-mm-dd hh:mm:ss"
        }
    }

    private static func fraction(_ places: Int) -> String {
        places <= 0 ? "" : "." + String(repeating: "0", count: min(places, 15))
    }
}

/// The formats of a workbook, each made once: styles and number formats combined.
///
/// The library owns what it hands out; it lives as long as the workbook.
final class FormatTable {
    private struct Key: Hashable {
        let number: NumberFormat
        let style: CellStyle
    }

    private let book: UnsafeMutablePointer<lxw_workbook>
    private var formats: [Key: UnsafeMutablePointer<lxw_format>] = [:]
    private var headerFormat: UnsafeMutablePointer<lxw_format>?

    init(_ book: UnsafeMutablePointer<lxw_workbook>) { self.book = book }

    /// Nil only where memory has run out; the cell is then written without a format.
    func format(_ number: NumberFormat, _ style: CellStyle) -> UnsafeMutablePointer<lxw_format>? {
        let key = Key(number: number, style: style)
        if let known = formats[key] { return known }
        guard let format = workbook_add_format(book) else { return nil }
        if let code = number.code { format_set_num_format(format, code) }
        switch style {
        case .normal: break
        case .bold: format_set_bold(format)
        case .warning: Self.colour(format, text: 0x9C5700, ground: 0xFFEB9C)
        case .good: Self.colour(format, text: 0x006100, ground: 0xC6EFCE)
        case .bad: Self.colour(format, text: 0x9C0006, ground: 0xFFC7CE)
        }
        formats[key] = format
        return format
    }

    /// All styles of one number format, by raw value.
    func styles(of number: NumberFormat) -> [UnsafeMutablePointer<lxw_format>?] {
        CellStyle.allCases.map { format(number, $0) }
    }

    /// Of the titles above the columns.
    var header: UnsafeMutablePointer<lxw_format>? {
        if let headerFormat { return headerFormat }
        guard let format = workbook_add_format(book) else { return nil }
        format_set_num_format(format, NumberFormat.text.code)
        format_set_bold(format)
        format_set_bottom(format, UInt8(LXW_BORDER_THIN.rawValue))
        headerFormat = format
        return format
    }

    private static func colour(_ format: UnsafeMutablePointer<lxw_format>, text: UInt32, ground: UInt32) {
        format_set_font_color(format, text)
        format_set_bg_color(format, ground)
    }
}
