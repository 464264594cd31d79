/// Reads the server's text from front to back, without making strings of it.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// The byte `offset` after the present one, nil past the end.
    func peek(at offset: Int) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    /// The present byte, which is passed; nil at the end.
    mutating func next() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// Passes `text` if it is what follows.
    mutating func skip(_ text: StaticString) -> Bool {
        let wanted = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes.count - position >= wanted.count else { return false }
        for offset in 0..<wanted.count where bytes[position + offset] != wanted[offset] { return false }
        position += wanted.count
        return true
    }

    /// Digits, at least one and at most 18.
    mutating func number() -> Int64? {
        let start = position
        var value: Int64 = 0
        while let byte = peek(at: 0), byte.isDigit, position - start < 18 {
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            position += 1
        }
        return position > start ? value : nil
    }

    /// The digits after the decimal point, one to six, as microseconds.
    mutating func microseconds() -> Int64? {
        let start = position
        guard let digits = number(), position - start <= 6 else { return nil }
        var value = digits
        for _ in (position - start)..<6 { value *= 10 }
        return value
    }

    /// `+07`, `-05:30` or nothing, in seconds east of Greenwich. Nil if a sign is followed by no number.
    mutating func offsetSeconds() -> Int64? {
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return 0 }
        guard let hours = number() else { return nil }
        var seconds = hours * 3600
        if skip(":") {
            guard let minutes = number() else { return nil }
            seconds += minutes * 60
        }
        return sign * seconds
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// The value of a hexadecimal digit.
    var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
