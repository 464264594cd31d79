public import Foundation

/// Where the time of day comes from.
///
/// Code that decides gets the time as an argument; code that asks for it asks this value, so that a test or a
/// demonstration can compress a day.
public struct WallClock: Sendable {
    private let read: @Sendable () -> Date

    /// - Parameter read: Returns the present time; called from any thread.
    public init(_ read: @escaping @Sendable () -> Date) { self.read = read }

    /// The time now.
    public func now() -> Date { read() }

    /// The machine's clock.
    public static let system = WallClock { Date() }
}
