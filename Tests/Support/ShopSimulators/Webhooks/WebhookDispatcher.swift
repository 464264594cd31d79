import Foundation
import Synchronization
import Transfer

/// Delivers webhooks over HTTP in the background: what goes to one address about one order goes one after the other.
final class WebhookDispatcher: Sendable {
    private struct State {
        /// What waits behind a delivery that is under way, by address and order.
        var waiting: [String: [OutgoingWebhook]] = [:]
        var client: TransferClient?
        var closed = false
    }

    private let authorityFile: String?
    private let state = Mutex(State())

    /// - Parameter authorityFile: PEM file that receivers' certificates are checked against; nil for the system's.
    init(authorityFile: String?) { self.authorityFile = authorityFile }

    /// Returns at once.
    func send(_ webhook: OutgoingWebhook, for shop: SimulatedShop) {
        let key = webhook.overtakes ? nil : "\(webhook.orderID ?? 0) \(webhook.url)"
        let starts = state.withLock { state in
            if state.closed { return false }
            guard let key else { return true }
            let isFree = state.waiting[key] == nil
            if isFree { state.waiting[key] = [] } else { state.waiting[key]?.append(webhook) }
            return isFree
        }
        // Outlives the call that changed the order: shops deliver from a queue of their own.
        if starts { Task.detached { await self.run(webhook, key: key, for: shop) } }
    }

    /// Ends deliveries that are under way and takes no more.
    func close() {
        let client = state.withLock { state in
            state.closed = true
            state.waiting = [:]
            return state.client.take()
        }
        client?.close()
    }

    private func run(_ first: OutgoingWebhook, key: String?, for shop: SimulatedShop) async {
        var next: OutgoingWebhook? = first
        while let webhook = next {
            await deliver(webhook, for: shop)
            next = state.withLock { state in
                guard let key, var queue = state.waiting[key] else { return nil }
                let following = queue.isEmpty ? nil : queue.removeFirst()
                state.waiting[key] = following == nil ? nil : queue
                return following
            }
        }
    }

    private func deliver(_ webhook: OutgoingWebhook, for shop: SimulatedShop) async {
        for wait in [webhook.delayMilliseconds] + webhook.retryDelaysMilliseconds {
            // A sleep that is cut short only means that the simulator ends.
            if wait > 0 { try? await Task.sleep(for: .milliseconds(wait)) }
            guard let client = openClient() else { return }
            let statuses = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<webhook.copies { group.addTask { await self.post(webhook, with: client) } }
                return await group.reduce(into: [Int]()) { $0.append($1) }
            }
            shop.with { $0.ended(webhook, statuses: statuses) }
            if statuses.contains(where: { (200...299).contains($0) }) { return }
        }
    }

    private func openClient() -> TransferClient? {
        state.withLock { state in
            if state.closed { return nil }
            if let client = state.client { return client }
            let client = TransferClient(
                options: TransferOptions(
                    caFile: authorityFile, maxConnectionsPerHost: 32, userAgent: "shop-simulator webhook"))
            state.client = client
            return client
        }
    }

    /// The status of the answer; 0 if none came.
    private func post(_ webhook: OutgoingWebhook, with client: TransferClient) async -> Int {
        let request = HTTPRequest(
            method: "POST", url: webhook.url, headers: webhook.headers.map { HTTPHeader($0.name, $0.value) },
            body: webhook.body, timeoutSeconds: webhook.timeoutSeconds)
        // Why nothing came back does not matter to a shop: it counts a failure.
        return (try? await client.send(request).status) ?? 0
    }
}
