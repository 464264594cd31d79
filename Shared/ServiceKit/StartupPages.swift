import Foundation
import Messaging

/// Gives back the memory of code that only the start of the process needed.
///
/// Loading the libraries and reading the configuration touch some 25 MB of code that an idle service never runs again;
/// it stays resident until the machine runs short. Code is read-only and on disk, so forgetting it loses nothing: what
/// is needed after all is mapped in again from the page cache.
enum StartupPages {
    /// Waits until the service has settled, then gives the pages back once.
    static func giveBack(unless stop: StopSignal) async {
        await stop.sleep(for: .seconds(5))
        if !stop.isStopping { giveBackNow() }
    }

    static func giveBackNow() {
        for range in codeRanges(currentMaps()) {
            guard let start = UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
            // Best effort: a range that the system refuses stays as it is.
            _ = madvise(start, Int(range.upperBound - range.lowerBound), MADV_DONTNEED)
        }
    }

    /// The whole of `/proc/self/maps`. Read to its end by hand: it states no size, and what trusts that gives the first
    /// page only.
    static func currentMaps() -> String {
        guard let file = FileHandle(forReadingAtPath: "/proc/self/maps"), let bytes = try? file.readToEnd() else {
            return ""
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The ranges of `/proc/self/maps` that hold code from a file: readable and executable, never written, so that
    /// nothing is lost. Data of libraries, which the loader has changed, is not among them.
    static func codeRanges(_ maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < ends[1] else { return nil }
            return ends[0]..<ends[1]
        }
    }
}
