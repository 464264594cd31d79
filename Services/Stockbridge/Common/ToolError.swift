import Foundation

/// What keeps the tool from doing what was asked, besides broker, database and configuration.
enum ToolError: Error, CustomStringConvertible {
    /// The arguments make no sense together, or name something that does not exist.
    case usage(String)
    /// It could not be done.
    case failed(String)

    var isUsage: Bool {
        if case .usage = self { return true }
        return false
    }

    var description: String {
        switch self {
        case .usage(let sentence), .failed(let sentence): sentence
        }
    }
}
