/// Checks UTF-8 that arrives in pieces, by the table of well-formed sequences in the Unicode standard (3-7).
struct UTF8Validator {
    /// Continuation bytes that must still come, and the range that the next one must lie in.
    private var missing = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether the text may end here.
    var isComplete: Bool { missing == 0 }

    /// - Returns: The index of the first byte that cannot stand where it does, or nil.
    mutating func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = bytes.count
        var index = 0
        while index < count {
            if missing == 0 {
                index = Self.skipASCII(base, from: index, to: count)
                if index == count { return nil }
                let whole = Self.wholeSequence(base, at: index, before: count)
                if whole > 0 {
                    index += whole
                    continue
                }
                guard begin(base.load(fromByteOffset: index, as: UInt8.self)) else { return index }
            } else {
                let byte = base.load(fromByteOffset: index, as: UInt8.self)
                guard byte >= lowest, byte <= highest else { return index }
                missing -= 1
                lowest = 0x80
                highest = 0xBF
            }
            index += 1
        }
        return nil
    }

    /// The length of a sequence of two bytes, or of three that need no closer look, if it is well-formed and all there;
    /// else 0. Nearly all text beyond ASCII is made of these.
    @inline(__always)
    private static func wholeSequence(_ base: UnsafeRawPointer, at index: Int, before count: Int) -> Int {
        guard index + 2 < count else { return 0 }
        let lead = base.load(fromByteOffset: index, as: UInt8.self)
        guard base.load(fromByteOffset: index + 1, as: UInt8.self) & 0xC0 == 0x80 else { return 0 }
        if lead >= 0xC2, lead <= 0xDF { return 2 }
        guard lead >= 0xE1, lead <= 0xEF, lead != 0xED else { return 0 }
        return base.load(fromByteOffset: index + 2, as: UInt8.self) & 0xC0 == 0x80 ? 3 : 0
    }

    @inline(__always)
    private static func skipASCII(_ base: UnsafeRawPointer, from start: Int, to count: Int) -> Int {
        var index = start
        while index + 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let high = word & 0x8080_8080_8080_8080
            // The first byte that is not ASCII is found by counting, not byte by byte.
            if high != 0 { return index + (high.trailingZeroBitCount >> 3) }
            index += 8
        }
        while index < count, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 { index += 1 }
        return index
    }

    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, lowest) = (2, 0xA0)
        case 0xED: (missing, highest) = (2, 0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, lowest) = (3, 0x90)
        case 0xF1...0xF3: missing = 3
        case 0xF4: (missing, highest) = (3, 0x8F)
        default: return false
        }
        return true
    }
}
