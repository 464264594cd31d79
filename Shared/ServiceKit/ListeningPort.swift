import Foundation

/// Looks whether a port can be listened on before anything begins, so that a second process ends with one sentence and
/// not in the middle of its work.
struct ListeningPort: Sendable {
    /// The setting that names it.
    let setting: String
    let host: String
    /// 0 is any free one.
    let port: Int

    /// Why nobody can listen there, with what to do; nil if somebody can.
    func problem() -> StartProblem? {
        guard port != 0 else { return nil }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found else {
            return StartProblem(
                "\(host) is no address to listen on: correct the bind address beside \(setting). "
                    + "The service did not begin.")
        }
        defer { freeaddrinfo(found) }
        return sentence(Self.tryToBind(address.pointee))
    }

    /// 0, or the number of the error.
    private static func tryToBind(_ address: addrinfo) -> Int32 {
        let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        // A family that this machine does not have is for the server to report.
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        return bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno
    }

    func sentence(_ code: Int32) -> StartProblem? {
        let place = "port \(port) of \(host)"
        switch code {
        case 0: return nil
        case EADDRINUSE:
            return StartProblem(
                "Something else listens on \(place) already, perhaps another replica: choose another port under "
                    + "\(setting). The service did not begin.")
        case EACCES:
            return StartProblem(
                "This user may not listen on \(place): choose a port of 1024 or more under \(setting). "
                    + "The service did not begin.")
        case EADDRNOTAVAIL:
            return StartProblem(
                "This machine has no address \(host): correct the bind address beside \(setting). "
                    + "The service did not begin.")
        default:
            return StartProblem(
                "Nobody can listen on \(place) (\(String(cString: strerror(code)))): look at \(setting). "
                    + "The service did not begin.")
        }
    }
}
