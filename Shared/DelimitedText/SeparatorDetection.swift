/// Finds the byte between the cells by looking at the first lines.
public enum SeparatorDetection {
    /// What is considered, in the order that decides a tie.
    public static let candidates: [UInt8] = [
        UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|"),
    ]

    /// The candidate that splits the most lines into the same number of cells, at least two.
    ///
    /// - Parameter sample: The beginning of the text as UTF-8; its last line may be cut off and is left out.
    /// - Returns: nil if no candidate splits two lines alike (or the only line at all).
    public static func detect(_ sample: UnsafeBufferPointer<UInt8>) -> UInt8? {
        var best: (separator: UInt8, lines: Int, cells: Int)?
        for candidate in candidates {
            let (lines, cells) = agreement(sample, separator: candidate)
            guard cells > 1 else { continue }
            if let found = best, (found.lines, found.cells) >= (lines, cells) { continue }
            best = (candidate, lines, cells)
        }
        return best?.separator
    }

    /// How many lines agree on the most common number of cells above one.
    private static func agreement(_ sample: UnsafeBufferPointer<UInt8>, separator: UInt8) -> (lines: Int, cells: Int) {
        var counts: [Int: Int] = [:]
        var cells = 1
        var quoted = false
        var atCellStart = true
        var empty = true
        for byte in sample {
            if byte == ASCII.quote, quoted || atCellStart {
                quoted.toggle()
            } else if !quoted, byte == ASCII.lineFeed || byte == ASCII.carriageReturn {
                if !empty { counts[cells, default: 0] += 1 }
                (cells, empty, atCellStart) = (1, true, true)
                continue
            } else if !quoted, byte == separator {
                cells += 1
                (empty, atCellStart) = (false, true)
                continue
            }
            (empty, atCellStart) = (false, false)
        }
        if counts.isEmpty, !empty { counts[cells] = 1 }
        let split = counts.filter { $0.key > 1 }
        guard let best = split.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else { return (0, 0) }
        return (best.value, best.key)
    }
}
