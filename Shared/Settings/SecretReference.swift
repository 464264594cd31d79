public import Foundation

/// Where a secret is kept: `${env:NAME}` or `${file:path}`.
///
/// `{service}` inside the reference stands for the service that resolves it, so that one line of the file gives every
/// service its own password. Resolving happens when the secret is used: a service never touches another one's.
public enum SecretReference: Sendable, Hashable, CustomStringConvertible {
    /// An environment variable. `{service}` becomes the service's name in capitals with `_` for `-`, because a shell
    /// cannot set a variable with a hyphen.
    case environment(name: String)
    /// A file that holds the secret and nothing else; the path is absolute. `{service}` becomes the service's name.
    case file(path: String)

    /// The largest file that is taken for a secret, in bytes.
    static let maximumFileBytes = 64 * 1024

    /// The reference as the configuration writes it.
    public var description: String {
        switch self {
        case .environment(let name): "${env:\(name)}"
        case .file(let path): "${file:\(path)}"
        }
    }

    /// The reference with `{service}` replaced.
    public func substituting(service: String) -> SecretReference {
        switch self {
        case .environment(let name):
            let variable = service.uppercased().replacingOccurrences(of: "-", with: "_")
            return .environment(name: name.replacingOccurrences(of: "{service}", with: variable))
        case .file(let path):
            return .file(path: path.replacingOccurrences(of: "{service}", with: service))
        }
    }

    /// Fetches the secret.
    ///
    /// - Parameters:
    ///   - service: The service that asks, for `{service}`; `owner` for the role that migrates.
    ///   - environment: The variables to look in.
    /// - Returns: The variable's value, or the file's text without one newline at its end.
    /// - Throws: ``SecretError`` if there is none, or if it is empty or evidently something else than a secret.
    public func resolve(
        service: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SecretError) -> Secret {
        switch substituting(service: service) {
        case .environment(let name):
            guard let value = environment[name] else { throw .environmentUnset(name: name) }
            guard !value.isEmpty else { throw .environmentEmpty(name: name) }
            return Secret(value)
        case .file(let path):
            return Secret(try Self.read(path))
        }
    }

    private static func read(_ path: String) throws(SecretError) -> String {
        let bytes: Data
        do {
            bytes = try readFile(path, maximumBytes: maximumFileBytes)
        } catch {
            throw .fileUnreadable(path: path, reason: error)
        }
        guard var text = String(validating: bytes, as: UTF8.self) else { throw .fileNotOneLine(path: path) }
        // Swift sees "\r\n" as one character, so both endings are one removal.
        if text.last?.isNewline == true { text.removeLast() }
        guard !text.isEmpty else { throw .fileEmpty(path: path) }
        guard !text.contains(where: \.isNewline), !text.contains("\0") else { throw .fileNotOneLine(path: path) }
        return text
    }
}

/// Why a secret could not be fetched. No case holds any part of a secret.
public enum SecretError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The environment variable does not exist.
    case environmentUnset(name: String)
    /// The environment variable is the empty text.
    case environmentEmpty(name: String)
    /// The file cannot be read.
    case fileUnreadable(path: String, reason: FileProblem)
    /// Nothing is in the file.
    case fileEmpty(path: String)
    /// The file holds several lines or no UTF-8 text, so it is not a secret.
    case fileNotOneLine(path: String)

    /// What is missing where, and what to do.
    public var description: String {
        switch self {
        case .environmentUnset(let name):
            "the environment variable \(name) is not set; set it for this service, or refer to a file instead"
        case .environmentEmpty(let name):
            "the environment variable \(name) is empty; put the secret into it"
        case .fileUnreadable(let path, let reason):
            "the secret's file \(path) \(reason)"
        case .fileEmpty(let path):
            "the secret's file \(path) is empty; write the secret into it, on one line"
        case .fileNotOneLine(let path):
            "the secret's file \(path) holds more than one line of text; it must hold the secret and nothing else"
        }
    }
}
