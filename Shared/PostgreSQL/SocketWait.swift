import Foundation

/// Waits for sockets in the calling thread.
enum SocketWait {
    /// What to wait for.
    struct Interest {
        let descriptor: Int32
        let events: Int16

        static func readable(_ descriptor: Int32) -> Interest {
            Interest(descriptor: descriptor, events: Int16(POLLIN))
        }
        static func writable(_ descriptor: Int32) -> Interest {
            Interest(descriptor: descriptor, events: Int16(POLLOUT))
        }
    }

    /// Returns as soon as one of the sockets is ready or broken.
    ///
    /// - Returns: Which are; all false if the deadline passed.
    static func wait(for interests: [Interest], until deadline: ContinuousClock.Instant) -> [Bool] {
        var polled = interests.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
        while true {
            // Rounded up: rounding down would poll without waiting in the last millisecond.
            let left = (deadline - .now) / .milliseconds(1)
            let count = poll(&polled, nfds_t(polled.count), Int32(max(0, min(left.rounded(.up), 86_400_000))))
            if count < 0 && errno == EINTR { continue }
            return polled.map { $0.revents != 0 }
        }
    }
}
