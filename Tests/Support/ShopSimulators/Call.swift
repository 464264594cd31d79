import Foundation

/// One HTTP request, as far as the simulated shop looks at it.
struct Call: Sendable {
    var number = 0
    let method: String
    /// As it was sent, still percent-encoded.
    let path: String
    /// Decoded.
    let query: [(name: String, value: String)]
    let headers: [String: String]
    let body: [UInt8]
    let client: String
    let isLoopback: Bool
    let isEncrypted: Bool
    /// What it asks of a Shopify shop, once that has been read.
    var shopify: ShopifyPrepared?

    /// - Parameter name: in small letters.
    func header(_ name: String) -> String? { headers[name] }

    func parameter(_ name: String) -> String? { query.last { $0.name == name || $0.name == name + "[]" }?.value }

    /// A list, either separated by commas or as `name[]=` several times, as WordPress reads it.
    func list(_ name: String) -> [String]? {
        let values = query.filter { $0.name == name || $0.name.hasPrefix(name + "[") }.map(\.value)
        if values.isEmpty { return nil }
        return values.flatMap { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    /// Scheme and host.
    var origin: String { "\(isEncrypted ? "https" : "http")://\(header("host") ?? "localhost")" }

    /// The parts of the path, decoded.
    var segments: [String] { path.split(separator: "/").map { Self.decode(String($0)) } }

    /// Reads a query as PHP does.
    static func parse(query: String) -> [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            return (decode(String(parts[0]), plusIsBlank: true), decode(value, plusIsBlank: true))
        }
    }

    static func decode(_ text: String, plusIsBlank: Bool = false) -> String {
        let blanks = plusIsBlank ? text.replacingOccurrences(of: "+", with: " ") : text
        return blanks.removingPercentEncoding ?? blanks
    }
}

/// What the simulated shop answers.
struct Answer: Sendable {
    var status = 200
    var headers: [(name: String, value: String)] = []
    var contentType = "application/json; charset=UTF-8"
    var body: String

    init(_ body: String, status: Int = 200) {
        self.body = body
        self.status = status
    }

    /// A refusal in WordPress's shape.
    static func refusal(_ status: Int, _ code: String, _ message: String) -> Answer {
        Answer(refusalText(status, code, message), status: status)
    }

    static func refusalText(_ status: Int, _ code: String, _ message: String) -> String {
        var data = JSONObjectWriter()
        data.add("status", status)
        var writer = JSONObjectWriter()
        writer.add("code", code)
        writer.add("message", message)
        writer.add("data", raw: data.finish())
        return writer.finish()
    }

    /// A parameter that breaks the schema, in WordPress's words.
    static func invalid(_ parameter: String, _ why: String) -> Answer {
        let explanation = "{\(JSONObjectWriter.quoted(parameter)):\(JSONObjectWriter.quoted(why))}"
        var data = JSONObjectWriter()
        data.add("status", 400)
        data.add("params", raw: explanation)
        var writer = JSONObjectWriter()
        writer.add("code", "rest_invalid_param")
        writer.add("message", "Invalid parameter(s): \(parameter)")
        writer.add("data", raw: data.finish())
        return Answer(writer.finish(), status: 400)
    }

    /// A page for people, as a proxy, a log-in form or a security extension would send it.
    static func page(_ title: String, status: Int) -> Answer {
        var answer = Answer(
            "<!DOCTYPE html>\n<html><head><title>\(title)</title></head><body><h1>\(title)</h1></body></html>\n",
            status: status)
        answer.contentType = "text/html; charset=UTF-8"
        return answer
    }
}
