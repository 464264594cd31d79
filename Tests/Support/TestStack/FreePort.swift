import Foundation

/// A port of this machine that nobody listens on now. Test equipment.
///
/// - Throws: ``TestStackProblem`` if there is none.
public func freePort() throws -> Int {
    let (descriptor, port) = try localSocket()
    close(descriptor)
    return port
}

/// A socket at a free port of this machine, for the caller to close. Test equipment.
///
/// - Parameter backlog: How many connections may wait there to be accepted; nil for a socket that does not listen.
/// - Throws: ``TestStackProblem`` if there is none.
public func localSocket(listeningFor backlog: Int32? = nil) throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
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
