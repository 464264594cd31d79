/// One worksheet of a workbook.
public struct Worksheet: Sendable, Equatable {
    /// The name on its tab.
    public let name: String
    /// Whether people see it.
    public let isVisible: Bool
    /// Where it lies in the archive.
    let path: String
}

/// A relationship of a package part: id, kind and target.
struct Relationship {
    let id: String
    let type: String
    let target: String
}

final class RelationshipsHandler: XMLHandler {
    private(set) var relationships: [Relationship] = []

    override func start(_ name: XMLName, _ attributes: XMLAttributes) {
        guard name == "Relationship", let id = attributes.text("Id"), let target = attributes.text("Target") else {
            return
        }
        if attributes.text("TargetMode") == "External" { return }
        relationships.append(Relationship(id: id, type: attributes.text("Type") ?? "", target: target))
    }

    /// The target of the first relationship whose kind ends so, resolved against the folder of its owner.
    func target(ofKind kind: String, in folder: String) -> String? {
        relationships.first { $0.type.hasSuffix("/" + kind) }.map { Self.resolve($0.target, in: folder) }
    }

    static func resolve(_ target: String, in folder: String) -> String {
        if target.hasPrefix("/") { return String(target.dropFirst()) }
        var parts = folder.split(separator: "/").map(String.init)
        for step in target.split(separator: "/") {
            if step == ".." {
                if !parts.isEmpty { parts.removeLast() }
            } else if step != "." {
                parts.append(String(step))
            }
        }
        return parts.joined(separator: "/")
    }
}

final class WorkbookHandler: XMLHandler {
    struct Sheet {
        let name: String
        let relationship: String
        let isVisible: Bool
    }

    private(set) var sheets: [Sheet] = []
    private(set) var uses1904 = false

    override func start(_ name: XMLName, _ attributes: XMLAttributes) {
        if name == "sheet" {
            sheets.append(
                Sheet(
                    name: attributes.text("name") ?? "", relationship: attributes.text("id") ?? "",
                    isVisible: (attributes.text("state") ?? "visible") == "visible"))
        } else if name == "workbookPr" {
            uses1904 = ["1", "true"].contains(attributes.text("date1904") ?? "")
        }
    }
}

/// Which cell styles show a number as a date.
final class StylesHandler: XMLHandler {
    /// By the number that a cell's `s` attribute gives.
    private(set) var isDate: [Bool] = []
    private var customDates: Set<Int> = []
    private var inCellFormats = false

    override func start(_ name: XMLName, _ attributes: XMLAttributes) {
        if name == "numFmt" {
            guard let id = attributes.text("numFmtId").flatMap({ Int($0) }), let code = attributes.text("formatCode")
            else { return }
            if Self.showsDate(code) { customDates.insert(id) }
        } else if name == "cellXfs" {
            inCellFormats = true
        } else if name == "xf", inCellFormats {
            let id = attributes.text("numFmtId").flatMap { Int($0) } ?? 0
            isDate.append(Self.builtInDates.contains { $0.contains(id) } || customDates.contains(id))
        }
    }

    override func end(_ name: XMLName) {
        if name == "cellXfs" { inCellFormats = false }
    }

    /// Number formats that every workbook has without naming them (ECMA-376, 18.8.30), those of Asian versions too.
    private static let builtInDates: [ClosedRange<Int>] = [14...22, 27...36, 45...47, 50...58]

    /// Whether a format code has a letter for a part of a date or time outside quotes, escapes and brackets.
    static func showsDate(_ code: String) -> Bool {
        var quoted = false
        var bracket: String?
        var escaped = false
        for character in code.lowercased() {
            if escaped {
                escaped = false
            } else if quoted {
                quoted = character != "\""
            } else if let content = bracket {
                // [h], [mm], [ss] are elapsed time; [red] and [$-409] are not.
                if character == "]" {
                    if !content.isEmpty, Set(content).isSubset(of: ["h", "m", "s"]) { return true }
                    bracket = nil
                } else {
                    bracket = content + String(character)
                }
            } else if character == "\\" || character == "_" || character == "*" {
                escaped = true
            } else if character == "\"" {
                quoted = true
            } else if character == "[" {
                bracket = ""
            } else if character == ";" {
                // The first section is the one for ordinary values.
                return false
            } else if "ymdhs".contains(character) {
                return true
            }
        }
        return false
    }
}
