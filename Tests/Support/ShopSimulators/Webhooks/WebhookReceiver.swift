import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Takes webhooks on a port of this machine and keeps them. Test equipment.
public final class WebhookReceiver: Sendable {
    /// One webhook as it came.
    public struct Received: Sendable {
        /// Names in small letters.
        public let headers: [String: String]
        /// As sent.
        public let body: [UInt8]
        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    private struct State {
        var received: [Received] = []
        var status = 200
        var port = 0
    }

    private let state = Mutex(State())
    private let running = Mutex<(group: ServiceGroup, task: Task<Void, any Error>)?>(nil)

    /// Nothing listens yet.
    public init() {}

    /// All that came, in the order in which it came.
    public var received: [Received] { state.withLock { $0.received } }

    /// Answers everything that comes from now on with this status.
    public func answer(_ status: Int) { state.withLock { $0.status = status } }

    /// Where webhooks are to go, once it listens.
    public var url: String { "http://127.0.0.1:\(state.withLock { $0.port })/webhooks" }

    /// Listens on a free port; returns once it is open.
    public func start() async throws {
        var logger = Logger(label: "webhook-receiver")
        logger.logLevel = .error
        let (ports, opened) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            responder: CallbackResponder<SimulatorContext> { request, _ in await self.take(request) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                opened.yield(channel.localAddress?.port ?? 0)
                opened.finish()
            },
            logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: [], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(2)
        let group = ServiceGroup(configuration: configuration)
        let task = Task {
            defer { opened.finish() }
            try await group.run()
        }
        running.withLock { $0 = (group, task) }
        for await port in ports { state.withLock { $0.port = port } }
    }

    /// Returns when nothing listens any more.
    public func stop() async {
        guard let (group, task) = running.withLock({ $0.take() }) else { return }
        await group.triggerGracefulShutdown()
        // How it ended does not matter to somebody who wanted it to end.
        _ = await task.result
    }

    private func take(_ request: Request) async -> Response {
        var request = request
        guard let body = try? await request.collectBody(upTo: 4 << 20) else { return Response(status: .badRequest) }
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        let status = state.withLock { state in
            state.received.append(Received(headers: headers, body: Array(buffer: body)))
            return state.status
        }
        return Response(status: HTTPResponse.Status(code: status))
    }
}
