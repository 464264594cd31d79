internal import Glibc

/// The texts that cells refer to by number, one after the other in one block of memory.
final class SharedStringsHandler: XMLHandler {
    private let limit: Int
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity = 65_536
    private var used = 0
    private var ends: [Int] = []
    /// Inside an element whose text counts.
    private var inText = false
    /// Inside a reading aid, whose text does not.
    private var inPhonetic = false
    private var start = 0
    /// How many items are open.
    private var depth = 0

    init(limit: Int) {
        self.limit = limit
        bytes = .allocate(capacity: capacity)
    }

    deinit { bytes.deallocate() }

    /// The text of that number; nil if there is none.
    @inline(__always)
    func text(_ index: Int) -> UnsafeBufferPointer<UInt8>? {
        guard index >= 0, index < ends.count else { return nil }
        let start = index == 0 ? 0 : ends[index - 1]
        return UnsafeBufferPointer(start: bytes + start, count: ends[index] - start)
    }

    override func start(_ name: XMLName, _ attributes: XMLAttributes) {
        if name.letter == UInt8(ascii: "t") {
            inText = !inPhonetic
        } else if name == "si" {
            depth += 1
            // One inside another belongs to it, whatever it is: texts never end before they begin.
            if depth == 1 { start = used }
        } else if name == "rPh" {
            inPhonetic = true
        }
    }

    override func end(_ name: XMLName) {
        if name.letter == UInt8(ascii: "t") {
            inText = false
        } else if name == "si" {
            depth -= 1
            guard depth == 0 else { return }
            let text = UnsafeMutableBufferPointer(start: bytes + start, count: used - start)
            used = start + EscapedCharacters.decode(text)
            ends.append(used)
        } else if name == "rPh" {
            inPhonetic = false
        }
    }

    override func text(_ more: UnsafeBufferPointer<UInt8>) {
        guard inText, let source = more.baseAddress else { return }
        if used + more.count > limit { return fail(.tooLarge(what: "bytes of shared strings", limit: limit)) }
        if used + more.count > capacity {
            let wanted = max(capacity * 2, used + more.count)
            let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
            grown.update(from: bytes, count: used)
            bytes.deallocate()
            bytes = grown
            capacity = wanted
        }
        (bytes + used).update(from: source, count: more.count)
        used += more.count
    }
}

/// Characters that XML cannot hold are written `_x000D_` in the format's strings.
enum EscapedCharacters {
    /// Decodes in place.
    ///
    /// - Returns: The length afterwards.
    static func decode(_ text: UnsafeMutableBufferPointer<UInt8>) -> Int {
        guard text.count >= 7, text.contains(UInt8(ascii: "_")) else { return text.count }
        var written = 0
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "_"), let scalar = scalar(text, at: index) {
                for byte in String(Character(scalar)).utf8 {
                    text[written] = byte
                    written += 1
                }
                index += 7
            } else {
                text[written] = text[index]
                written += 1
                index += 1
            }
        }
        return written
    }

    private static func scalar(_ text: UnsafeMutableBufferPointer<UInt8>, at index: Int) -> Unicode.Scalar? {
        guard index + 7 <= text.count, text[index + 1] == UInt8(ascii: "x"), text[index + 6] == UInt8(ascii: "_")
        else { return nil }
        let digits = String(decoding: text[(index + 2)..<(index + 6)], as: UTF8.self)
        return UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) }
    }
}
