import Foundation
import Glibc
import Synchronization
import TestStack

/// Stands between client and broker, and can cut or freeze what it carries.
final class TCPProxy: Sendable {
    enum Mode { case forward, swallowAnswers, freeze }

    private struct Shared {
        var mode = Mode.forward
        var sockets: [Int32] = []
        var accepted = 0
        var stopped = false
    }

    let port: Int
    private let listener: Int32
    private let target: Int
    private let shared = Mutex(Shared())

    init(to target: Int) throws {
        self.target = target
        (listener, port) = try localSocket(listeningFor: 16)
        Thread.detachNewThread { [self] in acceptLoop() }
    }

    /// How many connections have come in so far.
    var accepted: Int { shared.withLock { $0.accepted } }

    func set(_ mode: Mode) { shared.withLock { $0.mode = mode } }

    /// Breaks every connection.
    func cut() {
        shared.withLock { shared in
            for socket in shared.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
            shared.sockets = []
        }
    }

    func stop() {
        shared.withLock { $0.stopped = true }
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }

    private func acceptLoop() {
        while true {
            let client = accept(listener, nil, nil)
            if client < 0 || shared.withLock({ $0.stopped }) {
                close(listener)
                if client >= 0 { close(client) }
                return
            }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(target).bigEndian
            address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else {
                close(client)
                close(server)
                continue
            }
            shared.withLock {
                $0.accepted += 1
                $0.sockets += [client, server]
            }
            Thread.detachNewThread { [self] in carry(client, server) }
        }
    }

    /// Carries both directions of one connection; frozen, it reads nothing, so the sockets fill up.
    private func carry(_ client: Int32, _ server: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        defer {
            shared.withLock { $0.sockets.removeAll { $0 == client || $0 == server } }
            close(client)
            close(server)
        }
        while true {
            let mode = shared.withLock { $0.mode }
            if mode == .freeze {
                // The mode is looked at again soon; the connection itself stays open.
                usleep(20_000)
                if !shared.withLock({ $0.sockets.contains(client) }) { return }
                continue
            }
            var polled = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            poll(&polled, 2, 20)
            for (index, from, to) in [(0, client, server), (1, server, client)] where polled[index].revents != 0 {
                let count = recv(from, &buffer, buffer.count, 0)
                if count <= 0 { return }
                if from == server && shared.withLock({ $0.mode }) == .swallowAnswers { continue }
                if send(to, buffer, count, Int32(MSG_NOSIGNAL)) < 0 { return }
            }
        }
    }
}
