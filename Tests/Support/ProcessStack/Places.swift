import Foundation

/// Where things are: the executables under test, the repository's scripts, the servers' facts.
enum Places {
    /// The directory in which the build puts the executables: that of the running test bundle.
    static func executable(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path()
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ProcessStackProblem("\(path) is not there: run 'swift build --build-tests' first.")
        }
        return path
    }

    /// A script of the repository.
    static func script(_ path: String) -> String {
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.appending(path: path).path()
    }

    /// A variable that the test stack writes.
    static func variable(
        _ name: String, of environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> String {
        guard let text = environment[name], !text.isEmpty else {
            throw ProcessStackProblem("\(name) is not set: start the test stack and source the environment it writes.")
        }
        return text
    }

    /// A port of this machine that nobody listens on now.
    static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                bind(socket, general, length) == 0 ? getsockname(socket, general, &length) : -1
            }
        }
        guard code == 0 else { throw ProcessStackProblem("No port is free: \(String(cString: strerror(errno))).") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
