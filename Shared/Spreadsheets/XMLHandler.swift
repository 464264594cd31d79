/// Gets the elements of one XML part as the parser meets them. Subclasses override what they need.
class XMLHandler {
    /// Set by a handler that wants no more; parsing then ends.
    final var stopped = false
    /// Why the handler stopped, if that is an error.
    final var failure: WorkbookError?

    func start(_ name: XMLName, _ attributes: XMLAttributes) {}
    func end(_ name: XMLName) {}
    func text(_ bytes: UnsafeBufferPointer<UInt8>) {}

    final func fail(_ error: WorkbookError) {
        if failure == nil { failure = error }
        stopped = true
    }
}

/// An element's or attribute's name without prefix, in the parser's memory.
struct XMLName {
    let bytes: UnsafePointer<UInt8>

    /// Compares with a name in ASCII. The parser's names end with a zero byte, as do static strings of a literal.
    @inline(__always)
    static func == (left: XMLName, right: StaticString) -> Bool {
        var index = 0
        let count = right.utf8CodeUnitCount
        while index < count {
            if left.bytes[index] != right.utf8Start[index] { return false }
            index += 1
        }
        return left.bytes[count] == 0
    }

    /// The only letter of a name of one letter, else 0.
    @inline(__always)
    var letter: UInt8 { bytes[0] != 0 && bytes[1] == 0 ? bytes[0] : 0 }
}

/// The attributes of an element: five pointers each, as libxml2's SAX2 hands them over.
struct XMLAttributes {
    let base: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
    let count: Int

    /// The name of attribute `index`.
    @inline(__always)
    func name(_ index: Int) -> XMLName? { base?[index * 5].map { XMLName(bytes: $0) } }

    /// The value of attribute `index`, without the quotes.
    @inline(__always)
    func value(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        guard let base, let start = base[index * 5 + 3], let end = base[index * 5 + 4] else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return UnsafeBufferPointer(start: start, count: end - start)
    }

    /// The value of the attribute of this name, for parts where speed does not matter.
    func text(_ wanted: StaticString) -> String? {
        for index in 0..<count {
            if let name = name(index), name == wanted { return String(decoding: value(index), as: UTF8.self) }
        }
        return nil
    }
}
