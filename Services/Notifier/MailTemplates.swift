import Mustache

/// The texts of our mails. HTML with inline styles only, since mail programs drop the rest.
struct MailTemplates: Sendable {
    private let html: MustacheTemplate
    private let plain: MustacheTemplate

    init() throws {
        html = try MustacheTemplate(string: Self.htmlText)
        plain = try MustacheTemplate(string: Self.plainText)
    }

    /// Both forms of one mail.
    func render(_ content: MailContent) -> (plain: String, html: String) {
        let values: [String: Any] = [
            "company": content.company, "title": content.title, "text": content.text, "advice": content.advice,
            "facts": content.facts.map { ["name": $0.name, "value": $0.value] },
            "hasFacts": !content.facts.isEmpty, "hasPicture": content.hasPicture,
            "picture": MailFiles.pictureID, "tables": content.tables.map(Self.values), "hasAdvice": content.hasAdvice,
            "notices": content.notices.map { ["title": $0.name, "detail": $0.value] },
            "noticesTitle": content.noticesTitle, "hasNotices": !content.notices.isEmpty,
            "plainCommand": (content.command ?? "").replacing("\n", with: "\n    "),
            "command": content.command ?? "", "hasCommand": content.command != nil, "colour": content.tone.colour,
        ]
        return (plain.render(values, library: nil), html.render(values, library: nil))
    }

    private static func values(_ table: MailContent.Table) -> [String: Any] {
        [
            "title": table.title, "heads": table.columns.enumerated().map { ["text": $1, "align": align($0)] },
            "rows": table.rows.map { row in
                ["cells": row.enumerated().map { ["text": $1, "align": align($0)] }, "line": line(row, of: table)]
                    as [String: Any]
            },
        ]
    }

    /// Names stand left, numbers right.
    private static func align(_ column: Int) -> String { column == 0 ? "left" : "right" }

    /// A row for readers without HTML: `saigon: listings 19,665, different 3`.
    private static func line(_ row: [String], of table: MailContent.Table) -> String {
        let parts = zip(table.columns, row).dropFirst().map { "\($0.lowercased()) \($1)" }
        return "\(row.first ?? ""): \(parts.joined(separator: ", "))"
    }

    private static let plainText = """
        {{{title}}}

        {{{text}}}

        {{#facts}}
        {{{name}}}: {{{value}}}
        {{/facts}}
        {{#tables}}

        {{{title}}}
        {{#rows}}
          {{{line}}}
        {{/rows}}
        {{/tables}}
        {{#hasNotices}}

        {{{noticesTitle}}}
        {{#notices}}
        - {{{title}}}
          {{{detail}}}
        {{/notices}}
        {{/hasNotices}}
        {{#hasAdvice}}

        What to do: {{{advice}}}
        {{/hasAdvice}}
        {{#hasCommand}}

            {{{plainCommand}}}
        {{/hasCommand}}

        -- 
        Stockbridge for {{{company}}}

        """

    private static let htmlText = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1"><title>{{title}}</title></head>
        <body style="margin:0;padding:24px 12px;background:#f2f4f6;color:#1d2733;\
        font-family:Helvetica,Arial,sans-serif">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" \
        style="max-width:600px;background:#ffffff;border-radius:6px;border-top:4px solid {{colour}}">
        <tr><td style="padding:24px 24px 8px"><h1 style="margin:0;font-size:20px;line-height:1.3">{{title}}</h1>\
        </td></tr>
        <tr><td style="padding:0 24px 16px;font-size:15px;line-height:1.5">{{text}}</td></tr>
        {{#hasPicture}}
        <tr><td style="padding:0 12px 16px"><img src="cid:{{picture}}" width="576" alt="{{title}}" \
        style="width:100%;max-width:576px;height:auto;border:0;display:block"></td></tr>
        {{/hasPicture}}
        {{#hasFacts}}
        <tr><td style="padding:0 24px 8px"><table role="presentation" cellpadding="0" cellspacing="0" width="100%" \
        style="font-size:14px;line-height:1.4">
        {{#facts}}
        <tr><td style="padding:6px 12px 6px 0;color:#5b6b7b;vertical-align:top;white-space:nowrap;\
        border-top:1px solid #e6eaee">{{name}}</td>
        <td style="padding:6px 0;border-top:1px solid #e6eaee;word-break:break-word">{{value}}</td></tr>
        {{/facts}}
        </table></td></tr>
        {{/hasFacts}}
        {{#tables}}
        <tr><td style="padding:8px 24px 8px"><h2 style="margin:0 0 4px;font-size:15px">{{title}}</h2>
        <table cellpadding="0" cellspacing="0" width="100%" style="font-size:12px;line-height:1.4">
        <tr>{{#heads}}<th align="{{align}}" style="padding:6px 3px;color:#5b6b7b;font-weight:normal;\
        vertical-align:bottom">{{text}}</th>{{/heads}}</tr>
        {{#rows}}
        <tr>{{#cells}}<td align="{{align}}" style="padding:6px 3px;border-top:1px solid #e6eaee;vertical-align:top">\
        {{text}}</td>{{/cells}}</tr>
        {{/rows}}
        </table></td></tr>
        {{/tables}}
        {{#hasNotices}}
        <tr><td style="padding:8px 24px 8px"><h2 style="margin:0 0 4px;font-size:15px">{{noticesTitle}}</h2>
        {{#notices}}
        <div style="padding:8px 0;border-top:1px solid #e6eaee;font-size:14px;line-height:1.4">\
        <strong>{{title}}</strong><br><span style="color:#5b6b7b">{{detail}}</span></div>
        {{/notices}}
        </td></tr>
        {{/hasNotices}}
        {{#hasAdvice}}
        <tr><td style="padding:8px 24px 24px;font-size:15px;line-height:1.5"><strong>What to do:</strong> {{advice}}
        {{#hasCommand}}
        <pre style="margin:12px 0 0;padding:12px;background:#f2f4f6;border-radius:4px;font-size:13px;\
        white-space:pre-wrap;word-break:break-word">{{command}}</pre>
        {{/hasCommand}}
        </td></tr>
        {{/hasAdvice}}
        </table>
        <p style="font-size:12px;color:#5b6b7b">Stockbridge for {{company}}</p>
        </td></tr></table></body></html>
        """
}

/// What a mail says, before it is rendered.
struct MailContent: Sendable, Equatable {
    /// How urgent it looks.
    enum Tone: Sendable {
        case good, notice, warning, critical

        var colour: String {
            switch self {
            case .good: "#2e7d4f"
            case .notice: "#3b6ea5"
            case .warning: "#b7791f"
            case .critical: "#b3261e"
            }
        }
    }

    struct Fact: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// Numbers side by side; few columns, since it is read on a phone too.
    struct Table: Sendable, Equatable {
        var title: String
        var columns: [String]
        var rows: [[String]]
    }

    var company: String
    var tone: Tone
    var title: String
    var text: String
    var facts: [Fact]
    var advice: String
    /// What can be typed to do it.
    var command: String?
    var tables: [Table] = []
    /// Single things to look at, each with a line about it.
    var notices: [Fact] = []
    var noticesTitle = ""
    var hasPicture = false

    var hasAdvice: Bool { !advice.isEmpty }
}
