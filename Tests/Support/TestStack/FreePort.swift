import Foundation

/// A port of this machine that nobody listens on now. Test equipment.
///
/// - Throws: ``TestStackProblem`` if there is none.
public func freePort() throws -> Int {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
            bind(socket, general, length) == 0 ? getsockname(socket, general, &length) : -1
        }
    }
    guard code == 0 else { throw TestStackProblem("No port is free: \(String(cString: strerror(errno))).") }
    return Int(UInt16(bigEndian: address.sin_port))
}
