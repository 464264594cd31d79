/// When a schedule runs: the five fields of a crontab line (minute, hour, day of month, month, day of week).
///
/// Each field is `*`, a number, a range `a-b`, any of them with a step `/n`, or a list of those separated by commas.
/// Months and days of the week may be written as English names of three letters; Sunday is 0 and 7. As in every cron,
/// where both days are restricted, either is enough.
public struct CronExpression: Sendable, Hashable {
    /// The text as written.
    public let text: String
    let minutes: Set<Int>
    let hours: Set<Int>
    let daysOfMonth: Set<Int>
    let months: Set<Int>
    /// 0 is Sunday.
    let daysOfWeek: Set<Int>
    private let eitherDay: Bool

    /// Reads an expression.
    ///
    /// - Throws: ``CronError``, which says what is wrong, where, and what was probably meant.
    public init(_ text: some StringProtocol) throws(CronError) {
        let fields = text.split { $0.isWhitespace }.map { String($0) }
        guard fields.count == 5 else { throw .wrongFieldCount(text: String(text), count: fields.count) }
        self.text = fields.joined(separator: " ")
        minutes = try Field.minute.parse(fields[0])
        hours = try Field.hour.parse(fields[1])
        daysOfMonth = try Field.dayOfMonth.parse(fields[2])
        months = try Field.month.parse(fields[3])
        daysOfWeek = Set(try Field.dayOfWeek.parse(fields[4]).map { $0 % 7 })
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        guard eitherDay || daysOfMonth.contains(where: canHappen) else { throw .neverHappens(text: self.text) }
    }

    private func canHappen(day: Int) -> Bool {
        months.contains { day <= CivilDate.daysIn(month: $0, year: 2_000) }
    }

    func matches(_ date: CivilDate) -> Bool {
        guard months.contains(date.month) else { return false }
        let (byMonth, byWeek) = (daysOfMonth.contains(date.day), daysOfWeek.contains(date.weekday))
        return eitherDay ? byMonth || byWeek : byMonth && byWeek
    }

    enum Field: String {
        case minute = "minute"
        case hour = "hour"
        case dayOfMonth = "day of month"
        case month = "month"
        case dayOfWeek = "day of week"

        var range: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .dayOfMonth: 1...31
            case .month: 1...12
            case .dayOfWeek: 0...7
            }
        }

        /// The names, the first of which stands for `firstNamed`.
        private var names: [String] {
            switch self {
            case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
            case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
            case .minute, .hour, .dayOfMonth: []
            }
        }

        private var firstNamed: Int { self == .month ? 1 : 0 }

        func parse(_ text: String) throws(CronError) -> Set<Int> {
            var values = Set<Int>()
            for item in text.split(separator: ",", omittingEmptySubsequences: false) {
                values.formUnion(try parse(item: String(item)))
            }
            return values
        }

        private func parse(item: String) throws(CronError) -> [Int] {
            let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            var step = 1
            if parts.count == 2 {
                guard let number = Self.number(parts[1]), number >= 1 else {
                    throw .badItem(field: rawValue, item: item, hint: "after the slash stands a step such as 15")
                }
                step = number
            }
            let bounds: ClosedRange<Int>
            if parts[0] == "*" {
                bounds = range
            } else {
                let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
                let first = try value(ends[0], of: item)
                let last =
                    ends.count == 1 ? (parts.count == 2 ? range.upperBound : first) : try value(ends[1], of: item)
                guard ends.count <= 2, first <= last else {
                    throw .badItem(field: rawValue, item: item, hint: hintForRange(ends, first, last))
                }
                bounds = first...last
            }
            return Array(stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
        }

        private func hintForRange(_ ends: [String], _ first: Int, _ last: Int) -> String {
            guard ends.count == 2 else { return "a range has two ends, as in \(range.lowerBound)-\(range.upperBound)" }
            return "a range goes upwards; write \(first)-\(range.upperBound),\(range.lowerBound)-\(last)"
        }

        private func value(_ text: String, of item: String) throws(CronError) -> Int {
            if let index = names.firstIndex(of: text.uppercased()) { return index + firstNamed }
            guard let number = Self.number(text) else {
                throw .badItem(field: rawValue, item: item, hint: hintForWord(text))
            }
            guard range.contains(number) else {
                throw .badItem(
                    field: rawValue, item: item,
                    hint: "it goes from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }

        private func hintForWord(_ text: String) -> String {
            let start = text.uppercased().prefix(3)
            if let name = names.first(where: { $0 == start }) { return "write \(name)" }
            if !names.isEmpty { return "write a number or one of \(names.joined(separator: ", "))" }
            if text == "?" { return "write * instead of ?" }
            return "write a number from \(range.lowerBound) to \(range.upperBound), or *"
        }

        private static func number(_ text: String) -> Int? {
            guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
                return nil
            }
            return Int(text)
        }
    }
}

/// What is wrong with a cron expression.
public enum CronError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not five fields.
    case wrongFieldCount(text: String, count: Int)
    /// Something in a field cannot be read.
    case badItem(field: String, item: String, hint: String)
    /// No such day exists in any year.
    case neverHappens(text: String)

    /// What is wrong, and what was probably meant.
    public var description: String { shortened.sentence }

    /// The same with so much of the text as tells it from others.
    private var shortened: CronError {
        switch self {
        case .wrongFieldCount(let text, let count): .wrongFieldCount(text: String(text.prefix(80)), count: count)
        case .badItem(let field, let item, let hint): .badItem(field: field, item: String(item.prefix(40)), hint: hint)
        case .neverHappens(let text): .neverHappens(text: String(text.prefix(80)))
        }
    }

    private var sentence: String {
        switch self {
        case .wrongFieldCount(let text, 0):
            "The cron expression \"\(text)\" is empty. Write minute, hour, day of month, month and day of week, "
                + "for instance 0 6 * * * for every day at 06:00."
        case .wrongFieldCount(let text, 6):
            "The cron expression \"\(text)\" has 6 fields instead of 5. There are no seconds: leave out the first."
        case .wrongFieldCount(let text, let count):
            "The cron expression \"\(text)\" has \(count) \(count == 1 ? "field" : "fields") instead of 5. Write "
                + "minute, hour, day of month, month and day of week, for instance 0 6 * * * for every day at 06:00."
        case .badItem(let field, let item, let hint):
            "The \(field) \"\(item)\" of the cron expression cannot be used: \(hint)."
        case .neverHappens(let text):
            "The cron expression \"\(text)\" never happens: no such day exists in these months. Check day and month."
        }
    }
}

extension CronExpression: CustomStringConvertible {
    /// The text as written, with single blanks.
    public var description: String { text }
}
