public import Foundation

/// The checkout that these tests were built from. Test equipment.
public enum Repository {
    /// Its folder.
    public static var folder: URL {
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root
    }

    /// The path of one of its files.
    public static func path(_ file: String) -> String { folder.appending(path: file).path() }
}
