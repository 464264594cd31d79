internal import Foundation

/// The rules of worksheets' names.
enum SheetName {
    static let maximumUnits = 31

    /// Why spreadsheet programs would not accept a name; nil if they do.
    static func objection(to name: String, taken: [String]) -> String? {
        if name.isEmpty { return "it is empty" }
        if name.utf16.count > maximumUnits { return "it is longer than \(maximumUnits) characters" }
        if name.unicodeScalars.contains(where: { !isAllowed($0) }) {
            return "it has one of [ ] : * ? / \\ or a control character"
        }
        if name.hasPrefix("'") || name.hasSuffix("'") { return "it starts or ends with an apostrophe" }
        if name.lowercased() == "history" { return "spreadsheet programs keep it for themselves" }
        if taken.contains(where: { $0.lowercased() == name.lowercased() }) { return "there is one of that name" }
        return nil
    }

    static func free(_ text: String, taken: [String]) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(isAllowed(scalar) ? scalar : " ") }
        let trimmed = String(scalars).trimmingCharacters(in: CharacterSet(charactersIn: "' "))
        let base = trimmed.isEmpty ? "Sheet" : trimmed
        var candidate = shortened(base, to: maximumUnits)
        var number = 2
        while objection(to: candidate, taken: taken) != nil {
            let suffix = " (\(number))"
            candidate = shortened(base, to: maximumUnits - suffix.utf16.count) + suffix
            number += 1
        }
        return candidate
    }

    private static func shortened(_ text: String, to units: Int) -> String {
        var text = text
        while text.utf16.count > units { text.removeLast() }
        return text.trimmingCharacters(in: CharacterSet(charactersIn: "' "))
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && !"[]:*?/\\".unicodeScalars.contains(scalar) && scalar.value & 0xFFFE != 0xFFFE
    }
}
