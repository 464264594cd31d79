import Foundation
import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Closes a connection as soon as its client has closed its side, so that a call which is held learns that nobody
/// waits for its answer any more.
final class ClientCloseHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, case .inputClosed = event {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}

/// Dates every answer by the shop's clock, as a server whose clock is wrong does.
final class ShopDateHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let shop: SimulatedShop

    init(shop: SimulatedShop) { self.shop = shop }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var part = unwrapOutboundIn(data)
        if case .head(var head) = part {
            head.headerFields[.date] = Self.text(shop.with { $0.clock.now() })
            part = .head(head)
        }
        context.write(wrapOutboundOut(part), promise: promise)
    }

    /// `Tue, 03 Mar 2026 02:14:09 GMT`
    static func text(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = "\(parts.tm_mday)"
        return "\(days[Int(parts.tm_wday)]), \(day.utf8.count < 2 ? "0" : "")\(day) \(months[Int(parts.tm_mon)]) "
            + "\(parts.tm_year + 1900) \(ShopItems.time(date).suffix(8)) GMT"
    }
}

/// Connections that are kept open without an answer; closed when the simulator stops.
final class HeldConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var closed = false
    }

    private let state = Mutex(State())

    /// Returns once the client has closed the connection, or after `milliseconds`, when it is closed here.
    func hold(_ channel: any Channel, milliseconds: Int?) async {
        let id = ObjectIdentifier(channel)
        let stopped = state.withLock { state in
            if !state.closed { state.channels[id] = channel }
            return state.closed
        }
        if stopped {
            channel.close(promise: nil)
        } else if let milliseconds {
            let timer = Task {
                // A cancelled timer has nothing left to close.
                guard (try? await Task.sleep(for: .milliseconds(milliseconds))) != nil else { return }
                channel.close(promise: nil)
            }
            defer { timer.cancel() }
            await wait(for: channel)
        }
        await wait(for: channel)
        state.withLock { $0.channels[id] = nil }
    }

    func closeAll() {
        let channels = state.withLock { state in
            state.closed = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Sends RST in place of FIN.
    func reset(_ channel: any Channel) async {
        if let socket = channel as? any SocketOptionProvider {
            // Where the option is refused the client sees an ordinary close, which is as good a fault.
            try? await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        channel.close(promise: nil)
        await wait(for: channel)
    }

    private func wait(for channel: any Channel) async {
        // However a connection ends, it has ended.
        try? await channel.closeFuture.get()
    }
}
