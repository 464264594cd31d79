import Foundation

/// How much memory this process holds. Test equipment.
public enum ResidentMemory {
    /// In bytes, of all that runs in this process; 0 where the system does not say (`proc(5)`, statm).
    public static func bytes() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// In MiB, rounded down.
    public static func mebibytes() -> Int { bytes() >> 20 }
}
