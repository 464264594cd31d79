/// `alerts`: from when on a condition of the system itself is told to people.
public struct AlertLimits: Sendable, Hashable {
    /// So many new dead letters within ``newDeadLettersMinutes`` are normal.
    public var newDeadLetters = 50
    /// Minutes over which new dead letters are counted.
    public var newDeadLettersMinutes = 10
    /// Hours that a dead letter may wait for a person.
    public var deadLetterAgeHours = 24
    /// Minutes that an event may wait to be published.
    public var outboxLagMinutes = 5
    /// Seconds for which the broker may take nothing from a service, or be away.
    public var blockedSeconds = 60
    /// Seconds that a service may go without a sign of life.
    public var silenceSeconds = 60
    /// Minutes after its due time by which a schedule has to have run.
    public var scheduleLateMinutes = 10

    /// The defaults.
    public init() {}
}

extension SectionReader {
    func alertLimits() -> AlertLimits {
        let defaults = AlertLimits()
        var limits = AlertLimits()
        limits.newDeadLetters = integer("new_dead_letters", default: defaults.newDeadLetters, in: 0...1_000_000)
        limits.newDeadLettersMinutes = integer(
            "new_dead_letters_minutes", default: defaults.newDeadLettersMinutes, in: 1...1440)
        limits.deadLetterAgeHours = integer("dead_letter_age_hours", default: defaults.deadLetterAgeHours, in: 1...8760)
        limits.outboxLagMinutes = integer("outbox_lag_minutes", default: defaults.outboxLagMinutes, in: 1...1440)
        limits.blockedSeconds = integer("blocked_seconds", default: defaults.blockedSeconds, in: 30...86_400)
        limits.silenceSeconds = integer("silence_seconds", default: defaults.silenceSeconds, in: 30...86_400)
        limits.scheduleLateMinutes = integer(
            "schedule_late_minutes", default: defaults.scheduleLateMinutes, in: 1...1440)
        return limits
    }
}
