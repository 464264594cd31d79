internal import Glibc

/// Blocks of memory from the C allocator, whose `realloc` moves large blocks by their pages instead of copying them and
/// whose `calloc` leaves pages that nobody has written unallocated.
enum Memory {
    static func resized<Element: BitwiseCopyable>(
        _ old: UnsafeMutablePointer<Element>?, to capacity: Int
    ) -> UnsafeMutablePointer<Element> {
        guard let memory = realloc(old, capacity * MemoryLayout<Element>.stride) else { exhausted() }
        return memory.bindMemory(to: Element.self, capacity: capacity)
    }

    static func zeroed(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        guard let memory = calloc(count, MemoryLayout<UInt64>.stride) else { exhausted() }
        return memory.bindMemory(to: UInt64.self, capacity: count)
    }

    private static func exhausted() -> Never {
        preconditionFailure("the system has no memory left for the rows of a stock file")
    }
}
