import Foundation

/// Times as the envelope writes them: RFC 3339 in UTC with milliseconds.
///
/// The form we write is written and read by hand, since every message carries one; any other is left to Foundation.
enum EventTime {
    private static let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    private static let plain = Date.ISO8601FormatStyle()
    /// `2026-11-21T06:00:00.000Z`, with a digit where a zero stands.
    private static let pattern = Array("0000-00-00T00:00:00.000Z".utf8)
    /// Where year, month, day, hour, minute, second and milliseconds stand in it.
    private static let fields = [(0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2), (20, 3)]

    static func text(_ date: Date) -> String {
        let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded()
        // 0000 to 9999: the years that four digits can hold.
        guard milliseconds >= -62_167_219_200_000, milliseconds < 253_402_300_800_000 else {
            return date.formatted(fractional)
        }
        let whole = Int(milliseconds)
        var seconds = time_t((Double(whole) / 1_000).rounded(.down))
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let values = [
            Int(parts.tm_year) + 1_900, Int(parts.tm_mon) + 1, Int(parts.tm_mday), Int(parts.tm_hour),
            Int(parts.tm_min), Int(parts.tm_sec), whole - seconds * 1_000,
        ]
        return String(unsafeUninitializedCapacity: pattern.count) { target in
            _ = target.update(fromContentsOf: pattern)
            for ((start, width), value) in zip(fields, values) {
                var rest = value
                for position in (start..<start + width).reversed() {
                    target[position] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
            }
            return pattern.count
        }
    }

    static func parse(_ text: String) -> Date? {
        parseOwnForm(text) ?? (try? fractional.parse(text)) ?? (try? plain.parse(text))
    }

    /// Nil for another form and for a moment that does not exist.
    private static func parseOwnForm(_ text: String) -> Date? {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count == pattern.count else { return nil }
            for (byte, expected) in zip(bytes, pattern) {
                let isRight = expected == UInt8(ascii: "0") ? (0x30...0x39).contains(byte) : byte == expected
                if !isRight { return nil }
            }
            let values = fields.map { start, width in
                bytes[start..<start + width].reduce(Int32(0)) { $0 * 10 + Int32($1 - 0x30) }
            }
            var parts = tm()
            (parts.tm_year, parts.tm_mon, parts.tm_mday) = (values[0] - 1_900, values[1] - 1, values[2])
            (parts.tm_hour, parts.tm_min, parts.tm_sec) = (values[3], values[4], values[5])
            let seconds = timegm(&parts)
            // The library counts on past the end of a month; such a day does not exist.
            guard parts.tm_mday == values[2], parts.tm_mon == values[1] - 1, parts.tm_hour == values[3],
                parts.tm_min == values[4], parts.tm_sec == values[5]
            else { return nil }
            return Date(timeIntervalSince1970: Double(seconds) + Double(values[6]) / 1_000)
        }
    }
}
