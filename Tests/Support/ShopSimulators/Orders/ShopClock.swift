import Foundation

/// The clock of a simulated shop: the machine's, moved along with everybody else's (a compressed day), and wrong by
/// what this shop's is wrong.
struct ShopClock: Sendable {
    /// How far the whole test bench is from the machine's clock.
    var offsetSeconds: Double
    /// How far this shop is from everybody else.
    var skewSeconds: Double
    /// Seconds that the shop's local time is ahead of UTC.
    var utcOffsetSeconds: Int
    /// What it was before it was moved last: a call that was on its way then is not to be taken for a wrong clock.
    private(set) var offsetBefore = 0.0
    /// A file with the offset as text; counts in place of ``offsetSeconds`` while it holds a number.
    let offsetFile: String?
    /// The machine's clock.
    var machine: @Sendable () -> Date = { Date() }
    private var readAt = -Double.infinity
    private static let readEverySeconds = 0.005

    init(offsetSeconds: Double = 0, skewSeconds: Double = 0, utcOffsetSeconds: Int = 0, offsetFile: String? = nil) {
        (self.offsetSeconds, self.skewSeconds) = (offsetSeconds, skewSeconds)
        (self.utcOffsetSeconds, self.offsetFile) = (utcOffsetSeconds, offsetFile)
    }

    /// The shop's time in whole seconds, as its database keeps it.
    mutating func now() -> Date {
        let shared = sharedNow().timeIntervalSince1970
        return Date(timeIntervalSince1970: (shared + skewSeconds).rounded(.down))
    }

    /// The time that everybody on the test bench has; what signatures are checked against.
    mutating func sharedNow() -> Date {
        readFile()
        return machine().addingTimeInterval(offsetSeconds)
    }

    /// Whether the test bench has a time of its own.
    var isMoved: Bool { offsetSeconds != 0 }

    private mutating func readFile() {
        let steady = SimulatedShop.steadySeconds()
        guard let offsetFile, steady - readAt >= Self.readEverySeconds else { return }
        readAt = steady
        // While the file is being written anew the last number counts.
        guard let text = try? String(contentsOfFile: offsetFile, encoding: .utf8) else { return }
        guard let seconds = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)), seconds != offsetSeconds
        else { return }
        (offsetBefore, offsetSeconds) = (offsetSeconds, seconds)
    }
}
