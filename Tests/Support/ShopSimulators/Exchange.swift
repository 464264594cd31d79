import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What Hummingbird knows about a request besides its content.
struct SimulatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// Answers one request after the other, and lets go wrong what is meant to.
struct Exchange: Sendable {
    let shop: SimulatedShop
    let held: HeldConnections
    private static let maximumBody = 32 << 20

    func respond(to request: Request, _ context: SimulatorContext) async -> Response {
        guard var call = await read(request, context.channel) else {
            return Self.response(.page("Request Entity Too Large", status: 413))
        }
        if call.path.hasPrefix(ControlRoutes.prefix) { return Self.response(ControlRoutes(shop: shop).answer(call)) }
        call.shopify = shop.prepare(call)
        let keys = shop.changes(call)
        let isChange = shop.isChange(call)
        let now = SimulatedShop.steadySeconds()
        // Refused before anything else, as a host's limiter in front of the shop would.
        let (number, wait) = shop.with { state -> (Int, Double?) in
            let number = state.begin()
            let wait = state.bucket?.take(at: now)
            if wait != nil { state.statistics.throttled += 1 } else if isChange { state.beginChange(of: keys) }
            return (number, wait)
        }
        call.number = number
        defer { shop.with { $0.end(changing: wait == nil ? keys : []) } }
        if let wait {
            var answer = Answer.page("Too Many Requests", status: 429)
            answer.headers = [("Retry-After", String(max(1, Int(wait.rounded(.up)))))]
            return Self.response(answer)
        }
        return Self.response(await perform(call, on: context.channel))
    }

    private func perform(_ call: Call, on channel: any Channel) async -> Answer {
        let now = SimulatedShop.steadySeconds()
        let target = shop.faultTarget(call)
        let (fault, latency) = shop.with { state in
            (state.faults.next(method: target.method, path: target.path, at: now), state.latencyMilliseconds)
        }
        if fault == nil || fault?.kind == .slow { shop.beginShopify(call) }
        await Self.sleep(latency + (fault?.latencyMilliseconds ?? 0))
        guard let fault else { return shop.perform(call, fault: nil, late: false) }
        switch fault.kind {
        case .status:
            var answer = shop.failure(fault.status ?? 500)
            if let retryAfter = fault.retryAfter { answer.headers.append(("Retry-After", retryAfter)) }
            return answer
        case .html:
            return .page("Log in", status: 200)
        case .malformedJSON:
            var answer = shop.perform(call, fault: nil, late: false)
            answer.body = String(answer.body.prefix(max(1, answer.body.count / 2)))
            return answer
        case .timeoutBeforeWrite:
            await held.hold(channel, milliseconds: fault.holdMilliseconds)
        case .lostAnswer:
            _ = shop.perform(call, fault: nil, late: false)
            await held.hold(channel, milliseconds: fault.holdMilliseconds)
        case .lateWrite:
            await held.hold(channel, milliseconds: fault.holdMilliseconds)
            // Outlives the request on purpose: that is the fault.
            Task.detached {
                await Self.sleep(fault.delayMilliseconds ?? 1_000)
                _ = shop.perform(call, fault: nil, late: true)
            }
        case .reset:
            await held.reset(channel)
        case .partialBatch, .alteredQuantity, .silentItems, .slow:
            return shop.perform(call, fault: fault, late: false)
        case .editWhileListing, .webhookLost, .webhookDuplicate, .webhookLate, .webhookForged, .webhookOutOfOrder:
            // Never a call's fault; see the plan.
            return shop.perform(call, fault: nil, late: false)
        }
        // The connection is closed; nobody gets this.
        return Answer("")
    }

    private static func sleep(_ milliseconds: Int) async {
        // A cancelled sleep only means that the simulator stops.
        if milliseconds > 0 { try? await Task.sleep(for: .milliseconds(milliseconds)) }
    }

    private func read(_ request: Request, _ channel: any Channel) async -> Call? {
        var request = request
        guard let body = try? await request.collectBody(upTo: Self.maximumBody) else { return nil }
        let target = request.head.path ?? "/"
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        headers["host"] = request.head.authority ?? headers["host"]
        let address = channel.remoteAddress
        let host = address?.ipAddress ?? ""
        let agent = headers["user-agent"].map { " \($0)" } ?? ""
        return Call(
            method: request.method.rawValue, path: parts.first ?? "/",
            query: parts.count > 1 ? Call.parse(query: parts[1]) : [], headers: headers,
            body: Array(buffer: body), client: "\(host):\(address?.port ?? 0)\(agent)",
            isLoopback: host.hasPrefix("127.") || host == "::1",
            isEncrypted: shop.configuration.certificateFile != nil)
    }

    private static func response(_ answer: Answer) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = answer.contentType
        for header in answer.headers {
            if let name = HTTPField.Name(header.name) { fields[name] = header.value }
        }
        return Response(
            status: HTTPResponse.Status(code: answer.status), headers: fields,
            body: .init(byteBuffer: ByteBuffer(string: answer.body)))
    }
}
