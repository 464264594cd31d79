import Concurrency
import Contracts
public import Domain
import Foundation
import Logging
import Messaging
public import ServiceKit
import Synchronization

/// Tells people that a shop account is out, or refuses our credentials, and that it is back. One alert per condition;
/// notifier does not repeat one that is open.
public struct AccountAlerts: Sendable {
    /// The shop.
    public let shop: ShopName
    let parts: ServiceParts
    private let trouble = SharedTrouble()
    private let refusal = SharedTrouble()

    /// Alerts about one shop of one service.
    public init(shop: ShopName, parts: ServiceParts) {
        self.shop = shop
        self.parts = parts
    }

    /// Whether the last calls gave a reason to look at the breaker; saves a round trip on each good call.
    func hadTrouble() async -> Bool { trouble.take() }

    func noteTrouble() async { trouble.set() }

    func outage(_ reason: String) async {
        await raise(
            condition: "shop-outage:\(shop.rawValue)", severity: .critical, title: "Shop \(shop.rawValue) is out",
            text: "Shop \(shop.rawValue): \(reason). Calls to it are paused; the other shops go on.",
            whatToDo: "Look at the shop's server. Everything resumes by itself once the shop answers.")
    }

    /// The shop refuses our credentials; `sentence` says in what words.
    public func refusedCredentials(_ sentence: String) async {
        refusal.set()
        await raise(
            condition: "shop-credentials:\(shop.rawValue)", severity: .critical,
            title: "Shop \(shop.rawValue) refuses our credentials", text: sentence,
            whatToDo: "Check the key, the secret and their rights; nothing is lost, what waits is done afterwards.")
    }

    func recovered() async {
        await clear("shop-outage", "Shop \(shop.rawValue) answers again; what waited is being done.")
    }

    /// A call was let in: what was said about the credentials is over, whichever process said it.
    func acceptedCredentials() async {
        guard refusal.take() else { return }
        await clear("shop-credentials", "Shop \(shop.rawValue) accepts our credentials; what waited is being done.")
    }

    private func clear(_ condition: String, _ text: String) async {
        await emit(
            AlertCleared(
                condition: "\(condition):\(shop.rawValue)", service: parts.name, subject: AlertSubject(shop: shop),
                text: text, clearedAt: parts.clock.now()))
    }

    private func raise(
        condition: String, severity: AlertRaised.Severity, title: String, text: String, whatToDo: String
    ) async {
        trouble.set()
        await emit(
            AlertRaised(
                condition: condition, service: parts.name, subject: AlertSubject(shop: shop), severity: severity,
                title: title, text: text, whatToDo: whatToDo, raisedAt: parts.clock.now()))
    }

    private func emit(_ payload: some EventPayload) async {
        let (shop, now) = (shop, parts.clock.now())
        do {
            try await parts.database.unitOfWork { work in
                try work.emit(
                    Event(payload, subject: shop.rawValue, correlation: "shop \(shop.rawValue)", occurredAt: now))
            }
        } catch {
            parts.logger.error("alert not written", metadata: ["shop": "\(shop)", "problem": "\(error)"])
        }
    }
}

/// A flag that survives copies of the struct above.
private final class SharedTrouble: Sendable {
    // Set at the start, so that a new process closes a breaker or ends an alert that another left open.
    private let flag = Mutex(true)

    func set() { flag.withLock { $0 = true } }

    func take() -> Bool {
        flag.withLock { held in
            defer { held = false }
            return held
        }
    }
}
