import Domain
import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import Transfer

/// Listens for what shops tell us: `POST /webhooks/{shop}`.
struct WebhookServer: Sendable {
    let host: String
    let port: Int
    let maximumBodyBytes: Int
    let intake: WebhookIntake
    let logger: Logger
    let bound: @Sendable (Int) -> Void

    func application() -> some ApplicationProtocol {
        let router = Router()
        let (intake, limit, bound) = (intake, maximumBodyBytes, bound)
        router.post("/webhooks/:shop") { request, context in
            let shop = try context.parameters.require("shop")
            let headers = request.headers.map { HTTPHeader($0.name.rawName, $0.value) }
            let body: ByteBuffer
            do {
                body = try await request.body.collect(upTo: limit)
            } catch {
                return Response(status: .contentTooLarge)
            }
            let answer = await intake.take(shop, headers, Array(body.readableBytesView))
            return Response(status: .init(code: answer.rawValue))
        }
        return Application(
            router: router,
            configuration: .init(address: .hostname(host, port: port), serverName: "stockbridge"),
            onServerRunning: { channel in bound(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}
