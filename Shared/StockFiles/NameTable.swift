internal import Glibc

/// Distinct names (SKUs, warehouses) as bytes in one arena, found by an open-addressing hash table.
///
/// A million rows look a name up without making a string. Indices count up from 0 in order of first appearance.
struct NameTable: ~Copyable {
    /// The most names that it can hold.
    static let capacity = (1 << 24) - 2
    private(set) var count = 0
    private var arena: UnsafeMutablePointer<UInt8>
    private var arenaUsed = 0
    private var arenaCapacity = 4096
    /// Where each name ends in the arena; it begins where the one before ends.
    private var ends: UnsafeMutablePointer<Int>
    private var endsCapacity = 256
    /// The high 8 bits of the hash and, in 24 bits, index + 1; 0 is a free slot. Four bytes instead of eight keep twice
    /// as much of the table in the processor's caches, which decides the speed of a large file.
    private var slots: UnsafeMutablePointer<UInt32>
    private var slotCount = 512
    /// Random, so that nobody can prepare a file whose names all meet in one slot.
    private let seed = UInt64.random(in: 1 ... .max)

    /// - Parameter expected: About how many names will come; the table grows beyond by itself.
    init(expected: Int = 0) {
        while slotCount < expected * 2 { slotCount *= 2 }
        arena = Memory.resized(nil, to: arenaCapacity)
        ends = Memory.resized(nil, to: endsCapacity)
        slots = Memory.zeroed(slotCount)
    }

    deinit {
        free(arena)
        free(ends)
        Memory.free(zeroed: slots, slotCount)
    }

    /// The name's bytes.
    @inline(__always)
    func bytes(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let start = index == 0 ? 0 : ends[index - 1]
        return UnsafeBufferPointer(start: arena + start, count: ends[index] - start)
    }

    /// The name as a string; names are valid UTF-8.
    func text(_ index: Int) -> String { String(decoding: bytes(index), as: UTF8.self) }

    /// The index of a name, or nil; `hash` is what ``hash(_:)`` gives.
    @inline(__always)
    func find(_ name: UnsafeBufferPointer<UInt8>, hash: UInt32) -> Int? {
        let mask = slotCount - 1
        var slot = Int(hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry >> 24 == hash >> 24 {
                let index = Int(entry & 0xFF_FFFF) - 1
                let found = bytes(index)
                if found.count == name.count, Self.equal(found.baseAddress, name.baseAddress, name.count) {
                    return index
                }
            }
            slot = (slot + 1) & mask
        }
    }

    @inline(__always)
    private static func equal(_ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
        guard let left, let right else { return count == 0 }
        return memcmp(left, right, count) == 0
    }

    /// Adds a name that is not there yet.
    mutating func insert(_ name: UnsafeBufferPointer<UInt8>, hash: UInt32) -> Int {
        if (count + 1) * 2 > slotCount { growSlots() }
        if count == endsCapacity {
            endsCapacity *= 2
            ends = Memory.resized(ends, to: endsCapacity)
        }
        if arenaUsed + name.count > arenaCapacity {
            arenaCapacity = max(arenaCapacity * 2, arenaUsed + name.count)
            arena = Memory.resized(arena, to: arenaCapacity)
        }
        if let source = name.baseAddress { (arena + arenaUsed).update(from: source, count: name.count) }
        arenaUsed += name.count
        ends[count] = arenaUsed
        place(index: count, hash: hash)
        count += 1
        return count - 1
    }

    private func place(index: Int, hash: UInt32) {
        let mask = slotCount - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = hash & 0xFF00_0000 | UInt32(truncatingIfNeeded: index + 1)
    }

    private mutating func growSlots() {
        Memory.free(zeroed: slots, slotCount)
        slotCount *= 2
        slots = Memory.zeroed(slotCount)
        for index in 0..<count { place(index: index, hash: hash(bytes(index))) }
    }

    /// Whether the name at `index` is this one; false for an index that there is not.
    @inline(__always)
    func matches(_ index: Int, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard index >= 0, index < count else { return false }
        let found = bytes(index)
        return found.count == name.count && Self.equal(found.baseAddress, name.baseAddress, name.count)
    }

    /// Eight bytes a step, each folded in by a multiplication to double width.
    @inline(__always)
    func hash(_ name: UnsafeBufferPointer<UInt8>) -> UInt32 {
        guard let start = name.baseAddress else { return 0 }
        let raw = UnsafeRawPointer(start)
        let count = name.count
        var state = seed ^ UInt64(truncatingIfNeeded: count)
        var offset = 0
        while offset + 8 <= count {
            state = Self.mix(state ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        if offset < count {
            state = Self.mix(state ^ Self.tail(raw, from: offset, count: count))
        }
        return UInt32(truncatingIfNeeded: state >> 32)
    }

    /// The last one to seven bytes as a number, without reading beyond them.
    @inline(__always)
    private static func tail(_ raw: UnsafeRawPointer, from offset: Int, count: Int) -> UInt64 {
        if count >= 8 {
            let last = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            return last >> UInt64((8 - (count - offset)) * 8)
        }
        var value: UInt64 = 0
        for index in offset..<count {
            value = value << 8 | UInt64(raw.load(fromByteOffset: index, as: UInt8.self))
        }
        return value
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD1B5_4A32_D192_ED03)
        return product.high ^ product.low
    }
}
