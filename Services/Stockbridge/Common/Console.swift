import Foundation

/// Standard output, standard error and the person in front of them.
enum Console {
    /// Whether standard output is a terminal.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Characters in a line of the terminal; nil if standard output is none.
    static var width: Int? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// How text for standard output is decorated: colours only on a terminal, and never with NO_COLOR.
    static var style: TextStyle {
        let forbidden = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return TextStyle(colours: isTerminal && !forbidden)
    }

    /// One text to standard output.
    static func write(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// One text to standard error.
    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// Asks before something destructive; without a terminal, `--yes` is required.
    ///
    /// - Throws: ``ToolError/usage(_:)`` if nobody is there to ask, ``ToolError/failed(_:)`` if the answer is not yes.
    static func confirm(_ question: String, yes: Bool) throws {
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw ToolError.usage("\(question) Nobody is there to ask: say --yes if that is meant. Nothing was done.")
        }
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else { throw ToolError.failed("Nothing was done.") }
    }
}

/// Words in bold and colours, or plain.
struct TextStyle: Sendable {
    /// Whether to use escape sequences at all.
    let colours: Bool

    static let plain = TextStyle(colours: false)

    func bold(_ text: String) -> String { wrapped(text, "1") }
    func good(_ text: String) -> String { wrapped(text, "32") }
    func warning(_ text: String) -> String { wrapped(text, "33") }
    func bad(_ text: String) -> String { wrapped(text, "31") }
    func dim(_ text: String) -> String { wrapped(text, "2") }

    private func wrapped(_ text: String, _ code: String) -> String {
        colours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// A line of progress: rewritten in place on a terminal, printed when it changed elsewhere. Goes to standard error, so
/// that what a script reads stays clean.
struct ProgressLine {
    private let inPlace = isatty(STDERR_FILENO) == 1
    private var last = ""

    mutating func show(_ text: String) {
        guard text != last else { return }
        last = text
        let line = inPlace ? "\r\u{1B}[K\(text)" : text + "\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    mutating func finish() {
        if inPlace && !last.isEmpty { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        last = ""
    }
}
