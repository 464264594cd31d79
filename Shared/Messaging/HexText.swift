import Foundation

/// Lower-case hexadecimal digits of ids, written without an intermediate text.
enum HexText {
    private static let digits: StaticString = "0123456789abcdef"

    /// Writes two digits a byte, from `position` on; returns the position after them.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableBufferPointer<UInt8>, at position: Int
    ) -> Int {
        var position = position
        for byte in bytes {
            target[position] = digits.utf8Start[Int(byte >> 4)]
            target[position + 1] = digits.utf8Start[Int(byte & 15)]
            position += 2
        }
        return position
    }
}

extension UUID {
    /// As PostgreSQL and the envelope write it: lower-case, with hyphens.
    var lowercasedText: String {
        String(unsafeUninitializedCapacity: 36) { target in
            withUnsafeBytes(of: uuid) { bytes in
                var position = 0
                var start = 0
                for end in [4, 6, 8, 10, 16] {
                    if start > 0 {
                        target[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    position = HexText.write(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<end]), to: target, at: position)
                    start = end
                }
                return position
            }
        }
    }
}
