import Foundation

/// The process's own memory, processor time, files and start, from `/proc`, under the names that every Prometheus
/// client library gives them.
struct ProcessReadings: Sendable, Equatable {
    /// Of `/proc/self/stat`, counted from 0 after the name of the program, which may hold anything.
    private enum Field {
        static let userTicks = 11
        static let systemTicks = 12
        static let threads = 17
        static let startTicks = 19
        static let virtualBytes = 20
        static let residentPages = 21
    }

    var cpuSeconds: Double
    var threads: Double
    /// After the machine's start.
    var startSeconds: Double
    var virtualBytes: Double
    var residentBytes: Double

    /// - Parameter stat: The text of `/proc/self/stat`; nil if it is not as the manual says.
    init?(stat: String, ticksPerSecond: Double, pageBytes: Double) {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let numbers = stat[stat.index(after: end)...].split(separator: " ").map { Double($0) }
        guard numbers.count > Field.residentPages, let user = numbers[Field.userTicks],
            let system = numbers[Field.systemTicks], let threads = numbers[Field.threads],
            let start = numbers[Field.startTicks], let virtual = numbers[Field.virtualBytes],
            let pages = numbers[Field.residentPages]
        else { return nil }
        cpuSeconds = (user + system) / ticksPerSecond
        self.threads = threads
        startSeconds = start / ticksPerSecond
        virtualBytes = virtual
        residentBytes = pages * pageBytes
    }

    /// When the machine started, in seconds since 1970, as `/proc/stat` says.
    static func bootSeconds(_ stat: String) -> Double? {
        stat.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst("btime ".count)) }
    }

    /// How many files may be open, as `/proc/self/limits` says.
    static func mostFiles(_ limits: String) -> Double? {
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        return line?.dropFirst("Max open files".count).split(separator: " ").first.flatMap { Double($0) }
    }

    /// As readings.
    func readings(bootSeconds: Double?) -> [Reading] {
        [
            Reading("process.cpu.seconds", cpuSeconds, isCounter: true), Reading("process.threads", threads),
            Reading("process.virtual_memory.bytes", virtualBytes),
            Reading("process.resident_memory.bytes", residentBytes),
        ] + (bootSeconds.map { [Reading("process.start_time.seconds", $0 + startSeconds)] } ?? [])
    }

    /// Of this process; empty on a machine without `/proc`.
    static func now() -> [Reading] {
        func text(_ path: String) -> String? {
            // These files state no size, so they are read to their end.
            guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.readToEnd() else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let page = Double(sysconf(Int32(_SC_PAGESIZE)))
        let own = text("/proc/self/stat").flatMap { Self(stat: $0, ticksPerSecond: ticks, pageBytes: page) }
        var readings = own?.readings(bootSeconds: text("/proc/stat").flatMap(bootSeconds)) ?? []
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            readings.append(Reading("process.open_fds", Double(files.count)))
        }
        if let most = text("/proc/self/limits").flatMap(mostFiles) {
            readings.append(Reading("process.max_fds", most))
        }
        return readings
    }
}
