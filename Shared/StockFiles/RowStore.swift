internal import Glibc

/// One accepted statement about a SKU and a warehouse, in 24 bytes.
struct PackedRow: BitwiseCopyable {
    /// Signed, as written; in millionths. While ``RowFlags/ambiguousOnHand`` is set: the bare digits.
    var onHand: Int64
    var sku: UInt32
    var line: UInt32
    /// The next row of the same SKU, as index + 1; 0 ends the chain.
    var next: UInt32
    var warehouse: UInt16
    var flags: RowFlags
}

struct RowFlags: OptionSet, BitwiseCopyable {
    let rawValue: UInt16
    /// Was taken back: it conflicts with another row, or nothing decides what its number means.
    static let dropped = RowFlags(rawValue: 1)
    /// The number is like `1,234` or `1.234`, and which it means is decided at the end.
    static let commaOnHand = RowFlags(rawValue: 2)
    static let pointOnHand = RowFlags(rawValue: 4)
    static let commaReserved = RowFlags(rawValue: 8)
    static let pointReserved = RowFlags(rawValue: 16)
    static let ambiguous: RowFlags = [.commaOnHand, .pointOnHand, .commaReserved, .pointReserved]
}

/// All accepted rows of a file, chained by SKU.
struct RowStore: ~Copyable {
    var skus: NameTable
    var warehouses = NameTable()
    private(set) var count = 0
    private(set) var rows: UnsafeMutablePointer<PackedRow>
    private var capacity = 1024
    /// Parallel to `rows`, only where there is such a column.
    private(set) var reserved: UnsafeMutablePointer<Int64>?
    /// Per SKU the first of its rows as index + 1.
    private(set) var heads: UnsafeMutablePointer<UInt32>
    private var headCapacity = 1024

    init(withReserved: Bool, expectedSKUs: Int) {
        skus = NameTable(expected: expectedSKUs)
        rows = Memory.resized(nil, to: capacity)
        heads = Memory.resized(nil, to: headCapacity)
        reserved = withReserved ? Memory.resized(nil, to: capacity) : nil
    }

    deinit {
        free(rows)
        free(heads)
        free(reserved)
    }

    /// Makes room for the chain of a SKU that was just inserted.
    @inline(__always)
    mutating func addHead(_ sku: Int) {
        if sku == headCapacity {
            headCapacity *= 2
            heads = Memory.resized(heads, to: headCapacity)
        }
        heads[sku] = 0
    }

    /// The row of this SKU and warehouse, if there is one.
    @inline(__always)
    func find(sku: Int, warehouse: Int) -> Int? {
        var link = heads[sku]
        while link != 0 {
            let index = Int(link) - 1
            if Int(rows[index].warehouse) == warehouse { return index }
            link = rows[index].next
        }
        return nil
    }

    @inline(__always)
    mutating func append(_ row: PackedRow, reserved value: Int64) {
        if count == capacity {
            capacity *= 2
            rows = Memory.resized(rows, to: capacity)
            if let old = reserved { reserved = Memory.resized(old, to: capacity) }
        }
        var row = row
        row.next = heads[Int(row.sku)]
        rows[count] = row
        reserved?[count] = value
        count += 1
        heads[Int(row.sku)] = UInt32(truncatingIfNeeded: count)
    }
}
