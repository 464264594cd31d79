import Contracts
import Domain
import Foundation

/// Turns events into what a person reads. Pure.
struct MailComposer: Sendable {
    let company: String
    let timeZone: TimeZone

    func opened(_ alert: AlertRaised) -> MailContent {
        MailContent(
            company: company, tone: Self.tone(alert.severity), title: alert.title, text: alert.text,
            facts: subject(alert.subject) + [
                .init(name: "Since", value: text(alert.raisedAt)),
                .init(name: "Service", value: alert.service.rawValue),
            ], advice: alert.whatToDo)
    }

    func cleared(_ alert: AlertCleared, title: String, openedAt: Date) -> MailContent {
        MailContent(
            company: company, tone: .good, title: "Over: \(title)", text: alert.text,
            facts: subject(alert.subject) + [
                .init(name: "Began", value: text(openedAt)), .init(name: "Over since", value: text(alert.clearedAt)),
            ], advice: "Nothing; this is for your information.")
    }

    func held(_ stock: StockHeld) -> MailContent {
        let snapshot = stock.snapshotID.uuidString.lowercased()
        let file = stock.fileName ?? "The stock"
        return MailContent(
            company: company, tone: .warning, title: "Stock of \(stock.source) is held: please decide",
            text: """
                \(file) was read, but it differs so much from the last one that it was not put live. The shops go on \
                with the last good numbers.
                """,
            facts: stock.reasons.map { .init(name: "Because", value: $0.text) } + [
                .init(name: "File", value: file), .init(name: "Extracted", value: text(stock.asOf)),
                .init(name: "Rows", value: "\(stock.rowsRead) read, \(stock.rowsSetAside) set aside"),
                .init(name: "SKUs", value: "\(stock.codes), of which \(stock.codesToZero) would go to zero"),
                .init(name: "Snapshot", value: snapshot),
            ],
            advice: "Look at the file. If it is right, accept it; if it is wrong, reject it and have a new one sent.",
            command: """
                stockbridge stock show \(snapshot)
                stockbridge stock accept \(snapshot) --reason "..."
                stockbridge stock reject \(snapshot) --reason "..."
                """)
    }

    private func subject(_ subject: AlertSubject) -> [MailContent.Fact] {
        var facts: [MailContent.Fact] = []
        if let shop = subject.shop { facts.append(.init(name: "Shop", value: shop.rawValue)) }
        if let source = subject.source { facts.append(.init(name: "Source", value: source.rawValue)) }
        return facts
    }

    func text(_ date: Date) -> String {
        let style = Date.VerbatimFormatStyle(
            format: """
                \(year: .defaultDigits)-\(month: .twoDigits)-\(day: .twoDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits)
                """, timeZone: timeZone, calendar: Calendar(identifier: .gregorian))
        return "\(date.formatted(style)) (\(timeZone.identifier))"
    }

    private static func tone(_ severity: AlertRaised.Severity) -> MailContent.Tone {
        switch severity {
        case .info: .notice
        case .warning: .warning
        case .critical: .critical
        }
    }
}
