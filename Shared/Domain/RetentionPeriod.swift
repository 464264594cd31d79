public import Foundation

/// How long what is over is kept, where the operator's tool has to know it as well as the service that removes it.
///
/// Constants, not settings: a shorter one would take away the answers of `stockbridge explain`, and nobody would notice
/// before asking.
public enum RetentionPeriod {
    /// Row by row: what each file said, each version of a shelf, each answer of a shop. A quarter, with some days to
    /// spare for the question that comes with its closing.
    public static let detailDays = 100
    /// One by one: orders, dead letters that are settled, and who did what to them. A year, and the stocktaking and
    /// the audit that follow it.
    public static let recordDays = 400

    /// What is older than this may leave.
    public static func limit(days: Int, before now: Date) -> Date { now.addingTimeInterval(-Double(days) * 86_400) }
}
