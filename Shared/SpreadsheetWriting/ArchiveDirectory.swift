internal import Foundation

/// The list of parts at the end of a packed workbook.
///
/// The library does not notice when a full disk takes no more of what it packs, and closes an archive with shortened
/// parts as a good one. The list says how long they became.
enum ArchiveDirectory {
    /// What is wrong with an archive; nil if nothing is.
    ///
    /// - Parameter rowBytes: The bytes of the rows of each worksheet, in order. The part holds more than those.
    static func objection(to path: String, rowBytes: [Int]) -> String? {
        guard let sizes = sizes(path) else { return "the end of the archive is missing" }
        if let empty = sizes.filter({ $0.value == 0 }).keys.min() { return "its part \(empty) is empty" }
        for (index, bytes) in rowBytes.enumerated() {
            let part = "xl/worksheets/sheet\(index + 1).xml"
            guard let size = sizes[part], size > bytes else { return "its part \(part) was cut off" }
        }
        return nil
    }

    /// The unpacked bytes of each part; nil if the list is not whole.
    private static func sizes(_ path: String) -> [String: Int]? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard let length = try? file.seekToEnd(), length >= 22, (try? file.seek(toOffset: length - 22)) != nil,
            let end = (try? file.read(upToCount: 22)).map({ [UInt8]($0) }), end.count == 22,
            number(end, 0, 4) == 0x0605_4B50
        else { return nil }
        let (count, size, offset) = (number(end, 10, 2), number(end, 12, 4), number(end, 16, 4))
        guard (try? file.seek(toOffset: UInt64(offset))) != nil,
            let list = (try? file.read(upToCount: size)).map({ [UInt8]($0) }), list.count == size
        else { return nil }
        var sizes: [String: Int] = [:]
        var place = 0
        for _ in 0..<count {
            guard place + 46 <= list.count, number(list, place, 4) == 0x0201_4B50 else { return nil }
            let nameEnd = place + 46 + number(list, place + 28, 2)
            guard nameEnd <= list.count else { return nil }
            sizes[String(decoding: list[place + 46..<nameEnd], as: UTF8.self)] = number(list, place + 24, 4)
            place = nameEnd + number(list, place + 30, 2) + number(list, place + 32, 2)
        }
        return sizes
    }

    /// Little-endian.
    private static func number(_ bytes: [UInt8], _ place: Int, _ width: Int) -> Int {
        (0..<width).reduce(0) { value, index in value | Int(bytes[place + index]) << (8 * index) }
    }
}
