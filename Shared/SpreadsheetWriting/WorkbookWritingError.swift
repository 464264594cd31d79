/// Why a workbook could not be written.
public enum WorkbookWritingError: Error, Equatable, CustomStringConvertible {
    /// The workbook or its temporary files cannot be put there.
    case unusableFolder(path: String, detail: String)
    /// A worksheet's name is not one that spreadsheet programs accept.
    case invalidSheetName(String, reason: String)
    /// More columns than the format has, or none.
    case invalidColumns(sheet: String, count: Int)
    /// A row has more cells than its worksheet has columns.
    case tooManyCells(sheet: String, row: Int, columns: Int)
    /// The worksheet is full.
    case tooManyRows(sheet: String, limit: Int)
    /// Nothing can be added any more.
    case closed
    /// A workbook has at least one worksheet.
    case noSheet
    /// The temporary file of a worksheet takes no more.
    case rowUnwritable(sheet: String, row: Int, detail: String)
    /// The disk of the temporary files has too little room to put the workbook together.
    case noRoom(folder: String, neededBytes: Int, freeBytes: Int)
    /// The system refused to write.
    case unwritable(path: String, detail: String)
    /// What was written is not what was given; a full disk during the last step does that.
    case incomplete(path: String, detail: String)
    /// The library refused something that this wrapper should have prevented.
    case library(sheet: String, detail: String)

    /// What happened and what to do.
    public var description: String {
        switch self {
        case .unusableFolder(let path, let detail):
            "No workbook can be written in \(path): \(detail). Nothing was written; name another folder."
        case .invalidSheetName(let name, let reason):
            "\"\(name)\" cannot be the name of a worksheet: \(reason). The worksheet was not added."
        case .invalidColumns(let sheet, let count):
            "The worksheet \(sheet) cannot have \(count) columns; 1 to 16384 are possible. It was not added."
        case .tooManyCells(let sheet, let row, let columns):
            "Row \(row) of the worksheet \(sheet) has more than its \(columns) columns and was not written."
        case .tooManyRows(let sheet, let limit):
            "The worksheet \(sheet) is full: the format ends at row \(limit). Split the content over several."
        case .closed:
            "The workbook is closed and takes nothing more."
        case .noSheet:
            "The workbook has no worksheet and was not written."
        case .rowUnwritable(let sheet, let row, let detail):
            "The worksheet \(sheet) could not be written up to row \(row): \(detail). The workbook was given up; make "
                + "room for its temporary files and write it again."
        case .noRoom(let folder, let needed, let free):
            "The disk of \(folder) has \(free) bytes free and the workbook needs \(needed) there. It was not written; "
                + "make room and write it again."
        case .unwritable(let path, let detail):
            "The workbook \(path) cannot be written: \(detail). Nothing of it was left; write it again."
        case .incomplete(let path, let detail):
            "The workbook \(path) did not come out whole: \(detail). It was removed; make room and write it again."
        case .library(let sheet, let detail):
            "Writing to the worksheet \(sheet) failed: \(detail)."
        }
    }
}
