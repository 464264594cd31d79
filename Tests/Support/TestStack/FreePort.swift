import Foundation
import Synchronization

/// A port of this machine that nobody listens on now. Test equipment.
///
/// It lies below the range that the kernel gives to outgoing connections (ip(7), `ip_local_port_range`), so that none
/// of them takes it before it is used, and above it lie those that scripts give to servers; it is given out once.
/// - Throws: ``TestStackProblem`` if there is none.
public func freePort() throws -> Int {
    for _ in 0..<1_000 {
        let port = Int.random(in: 10_000..<20_000)
        guard givenPorts.withLock({ $0.insert(port).inserted }) else { continue }
        guard let (descriptor, _) = try? localSocket(at: port) else { continue }
        close(descriptor)
        return port
    }
    throw TestStackProblem("No port between 10000 and 20000 is free.")
}

private let givenPorts = Mutex<Set<Int>>([])

/// A socket at a free port of this machine, for the caller to close. Test equipment.
///
/// - Parameters:
///   - port: Which one; 0 for one of the kernel's choice.
///   - backlog: How many connections may wait there to be accepted; nil for a socket that does not listen.
/// - Throws: ``TestStackProblem`` if it, or every one, is taken.
public func localSocket(at port: Int = 0, listeningFor backlog: Int32? = nil) throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(clamping: port).bigEndian
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
            bind(descriptor, general, length) == 0 && getsockname(descriptor, general, &length) == 0
        }
    }
    guard isBound, backlog.map({ listen(descriptor, $0) == 0 }) ?? true else {
        let reason = String(cString: strerror(errno))
        close(descriptor)
        throw TestStackProblem("No port is free: \(reason).")
    }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}
