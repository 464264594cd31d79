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
    /// A Bloom filter over the hashes, three bits a name in one word of 64, eight bits of filter a name. It is small
    /// enough for the second-level cache and says of nearly every new name that it is new, without a look at the table.
    private var filter: UnsafeMutablePointer<UInt32>
    /// Names that are not in `slots` yet. Many insertions one after the other let the processor wait for their cache
    /// misses together; one at a time, waiting for memory takes a third of the time for a large file.
    private let pending: UnsafeMutablePointer<UInt64>
    private var pendingCount = 0
    private static let pendingCapacity = 64
    /// Random, so that nobody can prepare a file whose names all meet in one slot.
    private let seed = UInt64.random(in: 1 ... .max)

    /// - Parameter expected: About how many names will come; the table grows beyond by itself.
    init(expected: Int = 0) {
        while slotCount < expected * 2 { slotCount *= 2 }
        arena = Memory.resized(nil, to: arenaCapacity)
        ends = Memory.resized(nil, to: endsCapacity)
        slots = Memory.zeroed(slotCount)
        filter = Memory.zeroed(slotCount / 8)
        pending = .allocate(capacity: Self.pendingCapacity)
    }

    deinit {
        Memory.free(zeroed: filter, slotCount / 8)
        pending.deallocate()
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
    mutating func find(_ name: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
        guard mayContain(hash) else { return nil }
        placePending()
        return probe(name, hash: hash)
    }

    /// The same once no more names come; ``freeze()`` must have been called.
    func findFrozen(_ name: UnsafeBufferPointer<UInt8>) -> Int? {
        probe(name, hash: hash(name))
    }

    /// Says that no more names come.
    mutating func freeze() { placePending() }

    private func probe(_ name: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
        let mask = slotCount - 1
        let tag = Self.tag(hash)
        var slot = Self.slot(hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry & 0xFF00_0000 == tag {
                let index = Int(entry & 0xFF_FFFF) - 1
                if matches(index, name) { return index }
            }
            slot = (slot + 1) & mask
        }
    }

    @inline(__always)
    private static func slot(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash & 0xFFFF_FFFF) }

    @inline(__always)
    private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) & 0xFF00_0000 }

    /// The filter's word, as two halves, and the bits to look at in each.
    @inline(__always)
    private func filterPlace(_ hash: UInt64) -> (word: Int, low: UInt32, high: UInt32) {
        let word = Self.slot(hash) & (slotCount / 16 - 1)
        let bits = UInt64(1) << (hash >> 32 & 63) | UInt64(1) << (hash >> 38 & 63) | UInt64(1) << (hash >> 44 & 63)
        return (word * 2, UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32))
    }

    @inline(__always)
    private func mayContain(_ hash: UInt64) -> Bool {
        let (word, low, high) = filterPlace(hash)
        return filter[word] & low == low && filter[word + 1] & high == high
    }

    private func addToFilter(_ hash: UInt64) {
        let (word, low, high) = filterPlace(hash)
        filter[word] |= low
        filter[word + 1] |= high
    }

    @inline(__always)
    private static func equal(_ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
        guard let left, let right else { return count == 0 }
        // Most codes are of 8 to 16 bytes: two words that may overlap.
        guard count >= 8, count <= 16 else { return memcmp(left, right, count) == 0 }
        let (one, other) = (UnsafeRawPointer(left), UnsafeRawPointer(right))
        return one.loadUnaligned(as: UInt64.self) == other.loadUnaligned(as: UInt64.self)
            && one.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
                == other.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    }

    /// Adds a name that is not there yet.
    mutating func insert(_ name: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int {
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
        addToFilter(hash)
        if pendingCount == Self.pendingCapacity { placePending() }
        // The slot's bits of the hash, and what will stand in the slot.
        pending[pendingCount] = hash << 32 | UInt64(Self.tag(hash)) | UInt64(count + 1)
        pendingCount += 1
        count += 1
        return count - 1
    }

    private mutating func placePending() {
        for index in 0..<pendingCount { place(pending[index]) }
        pendingCount = 0
    }

    @inline(__always)
    private func place(_ entry: UInt64) {
        let mask = slotCount - 1
        var slot = Int(truncatingIfNeeded: entry >> 32) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(truncatingIfNeeded: entry)
    }

    private mutating func growSlots() {
        Memory.free(zeroed: slots, slotCount)
        Memory.free(zeroed: filter, slotCount / 8)
        slotCount *= 2
        slots = Memory.zeroed(slotCount)
        filter = Memory.zeroed(slotCount / 8)
        pendingCount = 0
        for index in 0..<count {
            let hash = hash(bytes(index))
            addToFilter(hash)
            place(hash << 32 | UInt64(Self.tag(hash)) | UInt64(index + 1))
        }
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
    func hash(_ name: UnsafeBufferPointer<UInt8>) -> UInt64 {
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
        return state
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
