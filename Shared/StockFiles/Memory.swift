internal import Glibc

/// Blocks of memory from the C allocator, whose `realloc` moves large blocks by their pages instead of copying
/// them.
enum Memory {
    static func resized<Element: BitwiseCopyable>(
        _ old: UnsafeMutablePointer<Element>?, to capacity: Int
    ) -> UnsafeMutablePointer<Element> {
        guard let memory = realloc(old, capacity * MemoryLayout<Element>.stride) else { exhausted() }
        return memory.bindMemory(to: Element.self, capacity: capacity)
    }

    /// Zeros, straight from the system. A table that is hit at random is asked for in huge pages, since otherwise
    /// nearly
    /// every hit also misses the processor's page table cache.
    static func zeroed(_ count: Int) -> UnsafeMutablePointer<UInt32> {
        let size = count * MemoryLayout<UInt32>.stride
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { exhausted() }
        if size >= 2_097_152 { _ = madvise(memory, size, MADV_HUGEPAGE) }
        return memory.bindMemory(to: UInt32.self, capacity: count)
    }

    /// Gives back what ``zeroed(_:)`` gave.
    static func free(zeroed memory: UnsafeMutablePointer<UInt32>, _ count: Int) {
        munmap(memory, count * MemoryLayout<UInt32>.stride)
    }

    private static func exhausted() -> Never {
        preconditionFailure("the system has no memory left for the rows of a stock file")
    }
}
