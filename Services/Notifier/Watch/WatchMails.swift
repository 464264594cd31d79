import Contracts
import Foundation

/// A condition that ended.
struct WatchEnding: Sendable, Equatable {
    var kind: WatchKind
    var title: String
    var text: String
    var openedAt: Date
}

/// A kind of error that was never seen before.
struct NewError: Sendable, Equatable {
    var fingerprint: String
    var service: String
    var queue: String
    /// How many wait; an example's code and sentence, if one does.
    var waiting: Int
    var code: String?
    var sentence: String?
}

// Several of one kind that begin at the same look are one mail: a stack that is stopped is one piece of news.
extension MailComposer {
    /// - Parameter findings: Of one kind; at least one.
    func began(_ findings: [WatchFinding]) -> MailContent? {
        guard let first = findings.first else { return nil }
        let since = findings.map(\.since).min() ?? first.since
        var content = MailContent(
            company: company, tone: findings.contains { $0.severity == .critical } ? .critical : .warning,
            title: first.title, text: first.text, facts: [.init(name: "Since", value: text(since))],
            advice: first.whatToDo, command: first.commands.joined(separator: "\n"))
        if let service = first.service, findings.count == 1 {
            content.facts.append(.init(name: "Service", value: service.rawValue))
        }
        if findings.count > 1 {
            content.title = first.kind.titleOfMany(findings.count)
            content.text = "These began at about the same time and may have one cause."
            content.noticesTitle = "One by one"
            content.notices = findings.map { .init(name: $0.title, value: $0.text) }
        }
        return content
    }

    /// - Parameter endings: Of one kind; at least one.
    func ended(_ endings: [WatchEnding], at now: Date) -> MailContent? {
        guard let first = endings.first else { return nil }
        let began = endings.map(\.openedAt).min() ?? first.openedAt
        let title = endings.count > 1 ? first.kind.titleOfMany(endings.count) : first.title
        var content = MailContent(
            company: company, tone: .good, title: "Over: \(title)", text: first.text,
            facts: [.init(name: "Began", value: text(began)), .init(name: "Over since", value: text(now))],
            advice: "Nothing; this is for your information.")
        if endings.count > 1 {
            content.text = "These ended at about the same time."
            content.noticesTitle = "One by one"
            content.notices = endings.map { .init(name: $0.title, value: $0.text) }
        }
        return content
    }

    /// Kinds that one mail names; it says how many more there are.
    static let namedErrors = 10

    func newErrors(_ errors: [NewError], at now: Date) -> MailContent {
        let services = Set(errors.map(\.service)).sorted().joined(separator: ", ")
        let title = errors.count == 1 ? "A new kind of error" : "\(errors.count) new kinds of errors"
        var content = MailContent(
            company: company, tone: .warning, title: "\(title) in \(services)",
            text: """
                Messages failed for good in a way that was never seen here before. They are kept with all that they \
                carried, and nothing tries them again by itself. \(errors.count == 1 ? "This kind is" : "These are") \
                told of once.
                """,
            facts: [.init(name: "Noticed", value: text(now))],
            advice: "Look at one of them, mend the cause, and replay them.",
            command: (["stockbridge dead-letters groups"]
                + errors.prefix(3).map { "stockbridge dead-letters list --fingerprint \($0.fingerprint)" })
                .joined(separator: "\n"))
        content.noticesTitle = errors.count == 1 ? "The error" : "The errors"
        content.notices = errors.prefix(Self.namedErrors).map { error in
            let count = error.waiting == 0 ? "none waits any more" : WatchText.things(error.waiting, "message", "wait")
            let sentence = error.sentence.map { String($0.prefix(300)) } ?? "See the list."
            return .init(name: "\(error.code ?? error.fingerprint) in \(error.queue), \(count)", value: sentence)
        }
        if errors.count > Self.namedErrors {
            content.notices.append(.init(name: "and \(errors.count - Self.namedErrors) more", value: "See the list."))
        }
        return content
    }
}
