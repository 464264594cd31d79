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
            "command": content.command ?? "", "hasCommand": content.command != nil, "colour": content.tone.colour,
        ]
        return (plain.render(values, library: nil), html.render(values, library: nil))
    }

    private static let plainText = """
        {{{title}}}

        {{{text}}}

        {{#facts}}
        {{{name}}}: {{{value}}}
        {{/facts}}

        What to do: {{{advice}}}
        {{#hasCommand}}

            {{{command}}}
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
        <tr><td style="padding:0 24px 8px"><table role="presentation" cellpadding="0" cellspacing="0" width="100%" \
        style="font-size:14px;line-height:1.4">
        {{#facts}}
        <tr><td style="padding:6px 12px 6px 0;color:#5b6b7b;vertical-align:top;white-space:nowrap;\
        border-top:1px solid #e6eaee">{{name}}</td>
        <td style="padding:6px 0;border-top:1px solid #e6eaee;word-break:break-word">{{value}}</td></tr>
        {{/facts}}
        </table></td></tr>
        <tr><td style="padding:8px 24px 24px;font-size:15px;line-height:1.5"><strong>What to do:</strong> {{advice}}
        {{#hasCommand}}
        <pre style="margin:12px 0 0;padding:12px;background:#f2f4f6;border-radius:4px;font-size:13px;\
        white-space:pre-wrap;word-break:break-word">{{command}}</pre>
        {{/hasCommand}}
        </td></tr></table>
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

    var company: String
    var tone: Tone
    var title: String
    var text: String
    var facts: [Fact]
    var advice: String
    /// What can be typed to do it.
    var command: String?
}
