import Foundation

/// Reads what servers send as the content of a directory.
enum DirectoryListing {
    /// One name per line (SFTP names, FTP `NLST`). Some FTP servers send paths, of which the last component counts.
    static func names(_ bytes: [UInt8]) -> [String] {
        lines(bytes).map { line in line.contains("/") ? RemoteURL.lastComponent(line) : line }
            .filter { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// The names of directories in a listing as `ls -l` prints it; lines of another form are passed over.
    static func directories(inLong bytes: [UInt8]) -> Set<String> {
        var names: Set<String> = []
        for line in lines(bytes) where line.first == "d" {
            // Type and rights, links, owner, group, size, month, day, time; then the name, which may hold spaces.
            let parts = line.split(separator: " ", maxSplits: 8, omittingEmptySubsequences: true)
            if parts.count == 9 { names.insert(String(parts[8])) }
        }
        return names
    }

    /// Files in the reply to `MLSD` (RFC 3659, 7): `fact=value;fact=value; name` per line. Directories, links and
    /// lines without a size are left out.
    static func machineReadable(_ bytes: [UInt8]) -> [RemoteEntry] {
        lines(bytes).compactMap { line in
            guard let space = line.firstIndex(of: " ") else { return nil }
            let name = String(line[line.index(after: space)...])
            var facts: [String: Substring] = [:]
            for fact in line[..<space].split(separator: ";") {
                guard let equals = fact.firstIndex(of: "=") else { continue }
                facts[fact[..<equals].lowercased()] = fact[fact.index(after: equals)...]
            }
            guard facts["type"]?.lowercased() == "file", let size = facts["size"].flatMap({ Int($0) }), size >= 0,
                !name.isEmpty, !name.contains("/")
            else { return nil }
            return RemoteEntry(name: name, size: size, modifiedAt: facts["modify"].flatMap(time))
        }
    }

    /// `YYYYMMDDHHMMSS` with an optional fraction, in UTC (RFC 3659, 2.3).
    static func time(_ text: some StringProtocol) -> Date? {
        let digits = text.prefix { $0 != "." }
        guard digits.count == 14, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        var numbers: [Int] = []
        var rest = digits[...]
        for length in [4, 2, 2, 2, 2, 2] {
            numbers.append(Int(rest.prefix(length)) ?? 0)
            rest = rest.dropFirst(length)
        }
        guard (1...12).contains(numbers[1]), (1...31).contains(numbers[2]), numbers[3] < 24, numbers[4] < 60,
            numbers[5] <= 60
        else { return nil }
        let days = daysSince1970(numbers[0], numbers[1], numbers[2])
        return Date(timeIntervalSince1970: Double(days * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]))
    }

    /// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        // 719 468 days lie between 0000-03-01 and 1970-01-01.
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0x0A).map { line in
            String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
        }
    }
}
