/// What the scanner knows of the record it is in.
struct RecordState {
    let start: Int
    var cellCount = 0
    /// Line breaks inside quotes so far.
    var lineBreaks = 0
    var hasControl = false
    var fault: RecordFault?
    /// Where the last quote opened, and how many line breaks stood before it.
    var quoteOpened = 0
    var linesAtQuote = 0
    private var scratch: UnsafeMutablePointer<UInt8>

    init(start: Int, scratch: UnsafeMutablePointer<UInt8>) {
        self.start = start
        self.scratch = scratch
    }

    /// Copies `content` with each doubled quote as one. All cells of a record together fit the scratch area, since they
    /// are shorter there than in the record.
    mutating func undouble(_ content: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var count = 0
        var index = 0
        while index < content.count {
            scratch[count] = content[index]
            count += 1
            index += content[index] == ASCII.quote ? 2 : 1
        }
        defer { scratch += count }
        return UnsafeBufferPointer(start: scratch, count: count)
    }
}

/// The bytes that the scanner looks for.
enum ASCII {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let blank: UInt8 = 0x20
    static let quote: UInt8 = 0x22
}

/// What a byte means to the scanner. Everything up to `separator` is plain inside quotes.
enum ByteClass {
    static let plain: UInt8 = 0
    static let separator: UInt8 = 1
    static let quote: UInt8 = 2
    static let lineFeed: UInt8 = 3
    static let carriageReturn: UInt8 = 4
    static let control: UInt8 = 5

    /// The class of each byte; the caller deallocates.
    static func table(separator byte: UInt8) -> UnsafeMutablePointer<UInt8> {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: plain, count: 256)
        for code in 0..<32 where code != 9 { table[code] = control }
        table[0x7F] = control
        table[Int(ASCII.lineFeed)] = lineFeed
        table[Int(ASCII.carriageReturn)] = carriageReturn
        table[Int(ASCII.quote)] = quote
        table[Int(byte)] = separator
        return table
    }
}
