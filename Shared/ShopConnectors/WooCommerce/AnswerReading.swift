internal import Domain
internal import Foundation
internal import Transfer

/// Decides what one HTTP answer of a WordPress site means. A pure value: no call is made here.
struct AnswerReading {
    let response: HTTPResponse
    let configuration: any CredentialRedacting
    let call: ShopCall

    /// What the answer refuses, or nil if its status is 2xx.
    ///
    /// - Parameter items: how many items the request held.
    func failure(items: Int) -> ConnectorError? {
        switch response.status {
        case 200..<300: nil
        case 401: .unauthorized(call, code: problemCode)
        case 403: .forbidden(call, code: problemCode)
        case 413: items > 0 ? .batchTooLarge(call, items: items) : refusal
        case 429: .throttled(call, retryAfterSeconds: retryAfterSeconds)
        case 408, 500...: .unavailable(call, status: response.status, retryAfterSeconds: retryAfterSeconds)
        case 300..<400:
            .refused(
                call, status: response.status, code: "redirect",
                message: "the shop sends us to \(newAddress); if that is right, use it as the shop's url")
        default: refusal
        }
    }

    private var problemCode: String? { problem?.code.map { cleaned($0, limit: 100) } }

    private var refusal: ConnectorError {
        guard let problem, let code = problem.code else { return malformed("an error page that is not JSON") }
        let message = cleaned(problem.message ?? "", limit: 300)
        return .refused(call, status: response.status, code: cleaned(code, limit: 100), message: message)
    }

    /// The answer's JSON, or ``ConnectorError/malformedAnswer(_:_:)`` with what came instead.
    func decode<Value: Decodable>(_ type: Value.Type) throws(ConnectorError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch let error as DecodingError {
            throw malformed(Self.explain(error))
        } catch {
            throw malformed("not JSON")
        }
    }

    /// The answer's JSON as it was written, of whatever shape.
    func tree() throws(ConnectorError) -> JSONTree {
        do throws(JSONTree.Malformed) {
            return try JSONTree(body)
        } catch {
            throw malformed("not JSON")
        }
    }

    /// Credentials taken out, control characters made blanks, cut to `limit` characters.
    func cleaned(_ text: String, limit: Int) -> String {
        // Cut after redacting: a credential that is cut in half would no longer be recognised.
        var result = String.UnicodeScalarView()
        for scalar in configuration.redacted(text).unicodeScalars.prefix(limit) {
            result.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(result)
    }

    /// Nobody waits longer on a shop's word; whoever calls after that asks again.
    static let longestWaitSeconds = 86_400.0

    /// Seconds to wait as the shop asks, at most a day: a number, or a date compared with the shop's own clock.
    var retryAfterSeconds: Double? { statedSeconds.map { min($0, Self.longestWaitSeconds) } }

    private var statedSeconds: Double? {
        guard let text = response.header("Retry-After")?.trimmingCharacters(in: .whitespaces) else { return nil }
        if let seconds = Double(text) { return seconds >= 0 && seconds.isFinite ? seconds : nil }
        guard let until = HTTPDate.parse(text), let now = response.header("Date").flatMap(HTTPDate.parse) else {
            return nil
        }
        return max(0, until.timeIntervalSince(now))
    }

    /// How many more calls the shop takes now, by the headers hosts commonly send.
    var remainingCalls: Int? {
        for name in ["RateLimit-Remaining", "X-RateLimit-Remaining"] {
            if let value = response.header(name).flatMap({ Int($0) }) { return value }
        }
        return nil
    }

    private var problem: WooCommerceProblem? { try? JSONDecoder().decode(WooCommerceProblem.self, from: Data(body)) }

    /// The body without a byte order mark, which some extensions put before everything.
    private var body: ArraySlice<UInt8> {
        response.body.starts(with: [0xEF, 0xBB, 0xBF]) ? response.body.dropFirst(3) : response.body[...]
    }

    private var newAddress: String {
        guard let location = response.header("Location") else { return "an address it does not name" }
        return cleaned(String(location.prefix { $0 != "?" }), limit: 120)
    }

    /// The error for an answer that is not what was asked for.
    func malformed(_ problem: String) -> ConnectorError {
        // An answer about orders that is JSON after all would show who bought.
        let isPersonal = call.action == .readOrders && [UInt8(ascii: "["), UInt8(ascii: "{")].contains(body.first ?? 0)
        let text = isPersonal ? "" : cleaned(String(decoding: response.body.prefix(400), as: UTF8.self), limit: 120)
        return .malformedAnswer(
            call,
            UnexpectedAnswer(
                status: response.status, contentType: response.header("Content-Type"), bytes: response.body.count,
                beginning: String(text.map { $0.isASCII ? $0 : "?" }), problem: problem))
    }

    /// Names the place, never the value.
    private static func explain(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "the field \(place(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            context.codingPath.isEmpty
                ? "JSON of another shape" : "the field \(place(context.codingPath)) has an unexpected type"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "not JSON" : "the field \(place(context.codingPath)) has an unexpected value"
        @unknown default: "not JSON of the expected shape"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
}

/// Dates of HTTP headers: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func parse(_ text: String) -> Date? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let monthText = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return WooCommerceDate.parse("\(parts[3])-\(monthText)-\(parts[1])T\(parts[4])")
    }
}
