internal import CXLSXWriter
internal import Foundation

/// What a file manager shows of a workbook.
struct DocumentProperties {
    var title = ""
    var author = ""
    var company = ""
    var comments = ""
    /// 1980 is what the parts inside the archive are dated, as spreadsheet programs do.
    var createdAt = Date(timeIntervalSince1970: 315_532_800)

    func set(in book: UnsafeMutablePointer<lxw_workbook>) {
        Self.withText(title) { title in
            Self.withText(author) { author in
                Self.withText(company) { company in
                    Self.withText(comments) { comments in
                        var properties = lxw_doc_properties()
                        properties.title = title
                        properties.author = author
                        properties.company = company
                        properties.comments = comments
                        // 0 would mean now.
                        properties.created = max(1, time_t(createdAt.timeIntervalSince1970.rounded(.down)))
                        workbook_set_properties(book, &properties)
                    }
                }
            }
        }
    }

    /// Nil for an empty text, which is left out. The format allows 255 characters.
    private static func withText(_ text: String, _ body: (UnsafeMutablePointer<CChar>?) -> Void) {
        guard !text.isEmpty else { return body(nil) }
        var short = String(text.prefix(255))
        let prepared = short.withUTF8 { CellText.prepare($0, escapesFormulas: false) }
        let bytes = prepared?.bytes ?? Array(short.utf8) + [0]
        bytes.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: CChar.self).baseAddress
            body(start.map { UnsafeMutablePointer(mutating: $0) })
        }
    }
}
