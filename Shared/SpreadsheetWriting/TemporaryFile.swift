internal import Foundation

/// A second hold on a temporary file of the library, which forgets some of them when packing fails.
struct TemporaryFile {
    private let original: Int32
    private let copy: Int32

    init(descriptor: Int32) {
        original = descriptor
        copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    }

    /// Closes the file and gives its disk space back, also where the library has left it open.
    ///
    /// The copy keeps the inode from being used again, so a descriptor that shows the same one is the forgotten one and
    /// not a file that somebody has opened since.
    func release() {
        guard copy >= 0 else { return }
        var mine = stat()
        var found = stat()
        if fstat(copy, &mine) == 0 {
            ftruncate(copy, 0)
            let isForgotten =
                fstat(original, &found) == 0 && found.st_ino == mine.st_ino && found.st_dev == mine.st_dev
            if isForgotten { Glibc.close(original) }
        }
        Glibc.close(copy)
    }
}
